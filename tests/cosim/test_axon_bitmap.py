# amaranth: UnusedElaboratable=no
"""The axon bitmap with few and many axons and delay slots, in chips that have more and no more."""

from dataclasses import replace

import pytest

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.memory_map import ChipMap
from spikelet.description.chip.packets import flit_packet
from spikelet.description.chip.params import ChipParams
from spikelet.description.neurons.models import neuron_model
from spikelet.rtl_gen.axon_bitmap import AxonBitmap
from spikelet.rtl_gen.layouts import CONFIG_LATENCY
from tests.cosim.support import SEEDS, Bench, cases


@pytest.fixture(
    scope="module",
    params=cases(
        small={"n_axons": 5, "delay_slots": 2},
        one_word={"n_axons": 16, "delay_slots": 4},
        ragged={"n_axons": 37, "delay_slots": 16},
        wide={"n_axons": 80, "delay_slots": 8},
        full={"n_axons": 64, "delay_slots": 64},
        graded={"n_axons": 37, "delay_slots": 4, "spike_bits": 4},
        graded_bytes={"n_axons": 9, "delay_slots": 2, "spike_bits": 8},
        graded_for_others={"n_axons": 20, "delay_slots": 2, "others": 3},
        less_than_others={"n_axons": 20, "delay_slots": 4, "spike_bits": 2, "others": 5},
        forwards={"n_axons": 37, "delay_slots": 16, "forwards": True},
        one_word_forwards={"n_axons": 5, "delay_slots": 2, "forwards": True},
        among_larger={"n_axons": 32, "delay_slots": 4, "largest": (100, 16)},
    ),
)
def bench(request: pytest.FixtureRequest) -> Bench:
    """Build the bitmap of a core that may not be the largest of its chip."""
    fields = dict(request.param)
    n_axons, delay_slots = fields.pop("largest", (1, 2))
    others = fields.pop("others", 0)
    forwards = fields.pop("forwards", False)
    core = CoreParams(n_neurons=16, neuron=neuron_model("snntorch-zero"), **fields)
    bits = others or core.spike_bits
    other = replace(core, n_axons=n_axons, delay_slots=delay_slots, spike_bits=bits)
    chip = ChipParams((core, other), 2)
    flit = flit_packet(chip)
    component = AxonBitmap(core, ChipMap(chip).cores[0]["arrivals"], flit, forwards=forwards)
    return Bench(component, core=core, flit=flit, config_latency=CONFIG_LATENCY, forwards=forwards)


@pytest.mark.parametrize("seed", SEEDS)
def test_axon_bitmap(bench, seed, tmp_path):
    bench.run(seed, tmp_path)
