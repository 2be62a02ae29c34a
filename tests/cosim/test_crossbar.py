# amaranth: UnusedElaboratable=no
"""The dense crossbar with each weight format, and with weight rows that do not fill their banks.

And those of a convolution and of sparse rows, of which ``test_shared_crossbar.py`` has many
geometries and ``test_sparse_crossbar.py`` many rows.
"""

from dataclasses import replace

import numpy as np
import pytest

from spikelet.description import lanes
from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.image import ChipImage
from spikelet.description.chip.memory_map import ChipMap
from spikelet.description.chip.params import ChipParams
from spikelet.description.learning.rule import LearningRule, TraceParams
from spikelet.description.neurons.error import ErrorParams, with_error
from spikelet.description.neurons.models import neuron_model
from spikelet.description.synapses.convolution import ConvolutionShape
from spikelet.rtl_gen.layouts import CONFIG_LATENCY
from spikelet.rtl_gen.synapses.crossbars import crossbar
from spikelet.rtl_gen.synapses.dense import DenseCrossbar
from tests.cosim.support import SEEDS, Bench, cases, image_of
from tests.helpers.random_plastic import random_plastic_image


@pytest.fixture(
    scope="module",
    params=cases(
        ["banks_in_a_word", "spram_words"],
        signed={"weight_bits": 4, "lanes": 8, "pipelines": 2},
        binary={"weight_bits": 1, "weight_format": "binary", "lanes": 16, "pipelines": 1},
        unsigned={"weight_bits": 5, "weight_format": "unsigned", "lanes": 16, "pipelines": 16},
        ragged={  # the highest axon needs a bit of its own
            "n_axons": 17,
            "weight_bits": 3,
            "lanes": 16,
            "pipelines": 4,
            "weight_memory": "spram",
        },
        graded={"weight_bits": 4, "lanes": 8, "pipelines": 2, "spike_bits": 3},
        graded_spram={"lanes": 16, "pipelines": 4, "weight_memory": "spram", "spike_bits": 2},
        single={"weight_bits": 8, "lanes": 1, "pipelines": 1, "n_neurons": 5},
        # A block RAM is taken to hold so many words: rows share them.
        four_in_a_word={"weight_bits": 4, "lanes": 8, "pipelines": 2, "deepest": 32},
        banks_in_a_word={"weight_bits": 5, "lanes": 8, "pipelines": 2, "deepest": 64},
        spram_words={"lanes": 16, "pipelines": 4, "weight_memory": "spram", "deepest": 32},
        taught={
            **{"weight_bits": 5, "lanes": 8, "pipelines": 2, "teacher_axons": 6},
            "neuron": with_error(neuron_model("snntorch-zero"), ErrorParams(bits=10)),
            "learning": LearningRule(
                "x1*e", x1=TraceParams(1, bits=1), w_min=-16, w_max=15, error_bits=10
            ),
        },
    ),
)
def bench(request: pytest.FixtureRequest) -> Bench:
    """Build a crossbar."""
    given = dict(request.param)
    deepest = given.pop("deepest", None)
    core = CoreParams(
        **{"n_axons": 21, "n_neurons": 48, "neuron": neuron_model("snntorch-zero"), **given}
    )
    chip = ChipParams((core,))
    with pytest.MonkeyPatch.context() as patch:
        if deepest:
            patch.setattr(lanes, "DEEPEST_BLOCK_RAM", deepest)
            assert lanes.rows_in_word(core.weight_rows) > 1
        component = DenseCrossbar(core, ChipMap(chip).cores[0])
        parameters = {"chip": chip, "config_latency": CONFIG_LATENCY, "even": True}
        return Bench(component, bench="crossbar", **parameters)


@pytest.mark.parametrize("seed", SEEDS)
def test_crossbar(bench, seed, tmp_path):
    image = random_plastic_image(np.random.default_rng(seed), bench.parameters["chip"])
    core, weights = bench.parameters["chip"].cores[0], image.cores[0].weights
    weights[:, 0], weights[:, -1] = core.weight_max, core.weight_min
    bench.run(seed, tmp_path, image=image)
    assert np.unique(weights).size > 1


@pytest.fixture(
    scope="module",
    params=cases(
        graded={
            **{"synapses": "shared", "lanes": 8, "pipelines": 4},
            **{"weight_bits": 4, "spike_bits": 2},
        },
        blocks={"synapses": "shared", "lanes": 4, "pipelines": 2, "weight_bits": 5},
        unsigned={
            **{"synapses": "shared", "lanes": 8, "pipelines": 8},
            **{"weight_bits": 8, "weight_format": "unsigned"},
        },
        windows={"synapses": "gather", "lanes": 4, "pipelines": 1, "weight_bits": 5},
    ),
)
def shared_bench(request: pytest.FixtureRequest) -> Bench:
    """Build a crossbar of a convolution."""
    convolution = ConvolutionShape(5, 7, 3, 3, 4, 8, 3, 3, *(2, 2), *(1, 1), *(1, 1))
    core = CoreParams(
        convolution.n_axons,
        convolution.n_neurons,
        neuron_model("snntorch-zero"),
        synapse_options=convolution.options(),
        **request.param,
    )
    chip = ChipParams((core,))
    component = crossbar(core, ChipMap(chip).cores[0])
    return Bench(component, bench="crossbar", chip=chip, config_latency=CONFIG_LATENCY, even=False)


@pytest.mark.parametrize("seed", SEEDS)
def test_shared_crossbar(shared_bench, seed, tmp_path):
    image = image_of(shared_bench.parameters["chip"], seed)
    core, kernel = shared_bench.parameters["chip"].cores[0], image.cores[0].weights
    kernel[..., 0], kernel[..., -1] = core.weight_max, core.weight_min
    shared_bench.run(seed, tmp_path, image=image)


@pytest.fixture(
    scope="module",
    params=cases(
        banks={"lanes": 8, "pipelines": 2, "weight_bits": 5},
        unsigned={"lanes": 4, "pipelines": 4, "weight_bits": 8, "weight_format": "unsigned"},
        one_group={"lanes": 16, "pipelines": 1, "weight_memory": "spram"},
    ),
)
def sparse_bench(request: pytest.FixtureRequest) -> Bench:
    """Build a sparse crossbar."""
    options = {"entries": 45 * (1 if request.param["lanes"] == 16 else 2), "fan_in": 12}
    core = CoreParams(
        **{"n_axons": 45, "n_neurons": 16, "neuron": neuron_model("snntorch-zero")},
        **{"synapses": "sparse", "synapse_options": options, **request.param},
    )
    chip = ChipParams((core,))
    component = crossbar(core, ChipMap(chip).cores[0])
    return Bench(component, bench="crossbar", chip=chip, config_latency=CONFIG_LATENCY, even=False)


@pytest.mark.parametrize("seed", SEEDS)
def test_sparse_crossbar(sparse_bench, seed, tmp_path):
    """Neurons 0 and 1 have as many axons as any may, and the ends of the range of weights."""
    chip = sparse_bench.parameters["chip"]
    image, core = image_of(chip, seed), chip.cores[0]
    rng = np.random.default_rng(seed)
    matrix = np.zeros((core.n_axons, core.n_neurons), np.int16)
    for neuron, weight in enumerate((core.weight_max, core.weight_min)):
        matrix[rng.permutation(core.n_axons)[:12], neuron] = weight
    matrix[rng.permutation(core.n_axons)[:20], 2:] = rng.integers(0, 2, (20, core.n_neurons - 2))
    matrix[:, 2:][np.cumsum(matrix[:, 2:], axis=0) > 12] = 0
    weights = core.synapse_format.stored(core, matrix, "core 0")
    contents = replace(image.cores[0], weights=weights)
    sparse_bench.run(seed, tmp_path, image=ChipImage((contents,)))
