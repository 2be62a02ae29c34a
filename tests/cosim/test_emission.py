# amaranth: UnusedElaboratable=no
"""Emission without lists, with lists of all lengths, and with multicast."""

from dataclasses import replace

import numpy as np
import pytest

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.destinations import HOST
from spikelet.description.chip.image import ChipImage
from spikelet.description.chip.memory_map import ChipMap
from spikelet.description.chip.packets import destination_packet, flit_packet
from spikelet.description.chip.params import ChipParams
from spikelet.description.neurons.models import neuron_model
from spikelet.rtl_gen.emission import Emission
from spikelet.rtl_gen.layouts import CONFIG_LATENCY
from tests.cosim.support import SEEDS, Bench, cases, image_of


@pytest.fixture(
    scope="module",
    params=cases(
        single={"pipelines": 1},
        parallel={"pipelines": 8},
        lists={"pipelines": 1, "list_entries": 31},
        wide={"pipelines": 4, "list_entries": 40, "multicast": True},
        filled={"pipelines": 8, "n_neurons": 8, "list_entries": 120},
        graded={"pipelines": 2, "spike_bits": 3},
        graded_lists={"pipelines": 8, "list_entries": 40, "multicast": True, "spike_bits": 8},
        once_among_graded={"pipelines": 4, "list_entries": 20, "others": 4},
        narrow={"pipelines": 2, "list_entries": 40, "n_axons": 2, "alone": True},
    ),
)
def bench(request: pytest.FixtureRequest) -> Bench:
    """Build the emission of a core among three on a mesh with an empty place.

    A core alone on its chip has flits narrower than the addresses of its table.
    """
    neuron = neuron_model("snntorch-zero")
    fields = {"n_axons": 9, "n_neurons": 24, "neuron": neuron, "lanes": 8, **request.param}
    alone, multicast = fields.pop("alone", False), fields.pop("multicast", False)
    others = fields.pop("others", 1)
    if bits := fields.pop("spike_bits", 0):
        fields |= {"neuron": neuron_model("lif-multispike"), "parameters": {"spike_bits": bits}}
    core = CoreParams(**fields)
    other = CoreParams(n_axons=30, n_neurons=16, neuron=neuron, delay_slots=8, spike_bits=others)
    chip = ChipParams((core, other, other), 2, 2, 12, multicast=multicast)
    if alone:
        chip = ChipParams((core,))
    packets = {"flit": flit_packet(chip), "destination": destination_packet(chip, core)}
    component = Emission(core, ChipMap(chip).cores[0]["destinations"], **packets)
    return Bench(component, chip=chip, config_latency=CONFIG_LATENCY)


def _image(chip: ChipParams, seed: int) -> ChipImage:
    """Return random contents; half of core 0's neurons have lists, which fill its table."""
    rng = np.random.default_rng(seed)
    image, core = image_of(chip, seed), chip.cores[0]
    lists = min(core.n_neurons, core.list_entries) // 2
    counts = np.arange(core.n_neurons) % 2
    if lists:
        more = core.list_entries - 2 * lists
        counts[:lists] = 2 + rng.multinomial(more, rng.dirichlet(np.ones(lists)))
    counts = rng.permutation(counts)
    pool = np.concatenate([c.destinations for c in image.cores])
    found = pool[rng.integers(len(pool), size=counts.sum())]
    found[0, 1:] = HOST, 0, 1, 1, 1
    found[:, 0] = np.repeat(np.arange(core.n_neurons), counts)
    first = replace(image.cores[0], destinations=found)
    return ChipImage((first, *image.cores[1:]))


@pytest.mark.parametrize("seed", SEEDS)
def test_emission(bench, seed, tmp_path):
    bench.run(seed, tmp_path, image=_image(bench.parameters["chip"], seed))
