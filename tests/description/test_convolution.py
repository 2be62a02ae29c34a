"""The geometry of convolutions, and the synapse format that shares their kernels."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.destinations import HOST, destinations
from spikelet.description.chip.image import ChipImage, CoreImage
from spikelet.description.chip.memory_map import ChipMap
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError
from spikelet.description.learning.named_rules import pair_stdp
from spikelet.description.neurons.models import neuron_model
from spikelet.description.synapses.convolution import ConvolutionShape
from tests.helpers.random_chips import random_image
from tests.helpers.random_convolutions import (
    convolution_core,
    random_convolution,
    random_kernel,
)

SMALL = ConvolutionShape(5, 6, 3, 3, 3, 8, 3, 3, 2, 2, 1, 1, 1, 1)


def core_of(convolution: ConvolutionShape = SMALL, **fields: object) -> CoreParams:
    return CoreParams(
        **{
            "n_axons": convolution.n_axons,
            "n_neurons": convolution.n_neurons,
            "neuron": neuron_model("snntorch-subtract"),
            "lanes": 4,
            "synapses": "shared",
            "synapse_options": convolution.options(),
            **fields,
        }
    )


def by_hand(convolution: ConvolutionShape, kernel: np.ndarray) -> np.ndarray:
    """Return the matrix of a kernel, synapse by synapse, from the definition."""
    c = convolution
    matrix = np.zeros((c.n_axons, c.n_neurons), kernel.dtype)
    for y, x, ky, kx in np.ndindex(c.out_height, c.out_width, c.kernel_height, c.kernel_width):
        in_y = y * c.stride_y + ky * c.dilation_y - c.padding_y
        in_x = x * c.stride_x + kx * c.dilation_x - c.padding_x
        if 0 <= in_y < c.height and 0 <= in_x < c.width:
            for channel, out_channel in np.ndindex(c.channels, c.out_channels):
                axon = in_y * c.row_axons + in_x * c.pixel_axons + channel
                neuron = (y * c.out_width + x) * c.out_channels + out_channel
                matrix[axon, neuron] = kernel[ky, kx, channel, out_channel]
    return matrix


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_kernel_and_its_matrix(seed: int) -> None:
    rng = np.random.default_rng(seed)
    convolution = random_convolution(rng)
    core = convolution_core(rng, convolution)
    kernel, format = random_kernel(rng, core), core.synapse_format
    matrix = format.matrix(core, kernel)
    assert (matrix == by_hand(convolution, kernel)).all()
    again = format.stored(core, matrix, "core 0")
    assert (format.matrix(core, again) == matrix).all()
    format.check(core, again, "core 0")


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_what_an_input_reaches(seed: int) -> None:
    convolution = random_convolution(np.random.default_rng(seed))
    for axis in (convolution.y, convolution.x):
        for at, reach in enumerate(axis.reaches):
            wanted = [
                (out, tap)
                for out in range(axis.out_size)
                for tap in range(axis.kernel)
                if out * axis.stride + tap * axis.dilation == at + axis.padding
            ]
            steps = range(reach.n)
            assert wanted == [
                (reach.first + i * axis.output_step, reach.tap - i * axis.tap_step) for i in steps
            ]
            later = [r.first for r in axis.reaches[at:] if r.n]
            assert axis.complete[at] == min([*later, axis.out_size])


def test_axons_are_numbered_in_rows() -> None:
    assert (SMALL.pixel_axons, SMALL.row_axons, SMALL.n_axons) == (4, 32, 4 * 32 + 5 * 4 + 3)
    wide = ConvolutionShape(34, 34, 2, 16, 16, 4, 5, 5, 2, 2, 1, 1, 1, 1)
    assert (wide.pixel_axons, wide.row_axons) == (2, 80)  # 128 would be 4,352
    numbers = wide.axons
    assert len(np.unique(numbers)) == numbers.size and numbers.max() == wide.n_axons - 1


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"kernel_height": 0}, "kernel_height must be an int in 1..4096, not 0"),
        ({"stride_x": 1.5}, "stride_x must be an int in 1..4096, not 1.5"),
        ({"padding_y": 3}, "y: padding must be at most 2, so that the first window"),
        ({"out_width": 5}, "x: the output must be at most 4 wide"),
        (
            {"channels": 64, "height": 2, "width": 2, "out_height": 1, "out_width": 1}
            | {"kernel_height": 300, "kernel_width": 300},
            "its kernel has 46080000 weights, at most 1048576",
        ),
    ],
)
def test_a_convolution_that_cannot_be(fields: dict[str, object], message: str) -> None:
    with pytest.raises(SpikeletError, match=f"^convolution(, )?:? ?{message}"):
        replace(SMALL, **fields)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"n_axons": 150}, "n_axons must be 151, as its convolution has, not 150"),
        (
            {"convolution": replace(SMALL, height=200)},
            "n_axons must be an int in 1..4096, not 6391",
        ),
        ({"n_neurons": 80}, "n_neurons must be 72, as its convolution has, not 80"),
        ({"lanes": 16, "n_neurons": 64}, "n_neurons must be 72"),
        (
            {
                "lanes": 8,
                "pipelines": 8,
                "convolution": replace(SMALL, out_channels=12, out_height=2),
            },
            "pipelines must divide the 12 out_channels of its convolution, not 8",
        ),
        ({"weight_bits": 1, "weight_format": "binary"}, "shared weights are signed or unsigned"),
        ({"learning": pair_stdp()}, "shared synapses cannot learn"),
        ({"synapse_options": {"height": 3}}, "synapse_options of shared synapses must be .*, not"),
        ({"synapses": "dense"}, "synapse_options of dense synapses must be none, not channels"),
    ],
)
def test_a_core_that_cannot_be(fields: dict[str, object], message: str) -> None:
    with pytest.raises(SpikeletError, match=f"^core: {message}"):
        core_of(**{"convolution": SMALL, **fields})


def test_weights_that_are_none() -> None:
    core = core_of()
    matrix = core.synapse_format.matrix(core, random_kernel(np.random.default_rng(1), core))
    matrix[20, 30] += 1
    with pytest.raises(SpikeletError, match="^layer 'a': its weights are not those of a conv"):
        core.synapse_format.stored(core, matrix, "layer 'a'")
    with pytest.raises(SpikeletError, match=r"^core 0: the kernel must have shape \(3, 3, 3, 8\)"):
        core.synapse_format.check(core, np.zeros((3, 3, 8, 3), np.int16), "core 0")
    with pytest.raises(SpikeletError, match=r"^core 0: weights must be in -8..7, found 8"):
        core.synapse_format.check(core, np.full((3, 3, 3, 8), 8, np.int16), "core 0")


def test_it_is_in_the_memory_map_once() -> None:
    core = core_of()
    chip = ChipParams((core,), n_outputs=1)
    region = ChipMap(chip).cores[0]["weights"]
    assert (region.words, region.bits) == (27 * 2, 16)
    image = random_image(np.random.default_rng(1), chip)
    program = dict(image.program(chip).tolist())
    first = int(ChipMap(chip).address(0, "weights"))
    kernel = image.cores[0].weights
    for ky, kx, channel, block in np.ndindex(3, 3, 3, 2):
        row = ((ky * 3 + kx) * 3 + channel) * 2 + block
        lanes = kernel[ky, kx, channel, 4 * block : 4 * block + 4].tolist()
        assert program[first + row] == sum((w & 15) << 4 * i for i, w in enumerate(lanes))


def test_its_kernel_takes_its_bits_and_its_sums_what_they_need() -> None:
    core = core_of()
    kernel, sums = core.synapse_format.memories(core)
    assert kernel.rows * kernel.row_bits == 3 * 3 * 3 * 8 * core.weight_bits
    assert core.sum_range == (27 * -8, 27 * 7) and core.current_bits == 9
    assert (sums.rows, sums.row_bits) == (18, 4 * 9)


def test_a_chip_with_it_is_saved_and_loaded() -> None:
    chip = ChipParams((core_of(),), n_outputs=1)
    assert ChipParams.from_dict(chip.to_dict()) == chip
    dense = ChipParams((CoreParams(4, 8, neuron_model("nir-euler"), lanes=4),))
    assert "synapse_options" not in dense.to_dict()["cores"][0]


def test_an_image_of_another_kernel_is_refused() -> None:
    core = core_of()
    image = CoreImage(
        np.zeros((core.n_axons, core.n_neurons), np.int16),
        destinations([], HOST, []),
        {"threshold": np.array([3], np.int32)},
    )
    with pytest.raises(SpikeletError, match="^core 0: the kernel must have shape"):
        ChipImage((image,)).check(ChipParams((core,)))
