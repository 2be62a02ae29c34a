"""Maps of convolutions, cut into parts that fit cores."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikelet.description.synapses.convolution import ConvolutionShape
from spikelet.placement.maps import cut_map, lanes_of_channels, pipelines_of_channels, places
from tests.helpers.random_convolutions import random_convolution

CAMERA = ConvolutionShape(34, 34, 2, 16, 16, 16, 5, 5, 2, 2, 1, 1, 1, 1)


def first_numbered(shape: ConvolutionShape) -> tuple[np.ndarray, np.ndarray]:
    """Return inputs and outputs of a map, as (y, x, channel), numbered channel first."""
    sizes = (
        (shape.channels, shape.height, shape.width),
        (shape.out_channels, shape.out_height, shape.out_width),
    )
    inputs, outputs = (np.arange(np.prod(size)).reshape(size).transpose(1, 2, 0) for size in sizes)
    return inputs, outputs


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_parts_compute_what_the_whole_does(seed: int) -> None:
    rng = np.random.default_rng(seed)
    whole = random_convolution(rng)
    kernel = rng.integers(-8, 8, whole.kernel_shape)
    inputs, outputs = first_numbered(whole)
    wanted = np.zeros((inputs.size, outputs.size), int)
    wanted[np.ix_(inputs.ravel(), outputs.ravel())] = whole.matrix(kernel)[whole.axons.ravel()]
    found = np.zeros_like(wanted)
    cut = cut_map(whole, int(rng.integers(1, 3000)), whole.out_width * int(rng.integers(1, 30)), 4)
    for rows, channels in cut:
        part = whole.part(rows, channels)
        sources, targets = places(whole, rows, channels)
        block = part.matrix(kernel[..., channels.start : channels.stop])[part.axons.ravel()]
        found[np.ix_(sources, targets)] += block
    assert not cut or (found == wanted).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4096), st.integers(1, 4096))
def test_parts_fit_their_cores(seed: int, max_axons: int, max_neurons: int) -> None:
    whole = random_convolution(np.random.default_rng(seed))
    cut = cut_map(whole, max_axons, max_neurons, 4)
    for piece in cut:
        part = whole.part(*piece)
        assert part.n_axons <= max_axons and part.n_neurons <= max_neurons
    if whole.n_axons <= max_axons and whole.n_neurons <= max_neurons:
        assert len(cut) == 1
    if not cut:  # not even with a row, and as few channels as lanes allow
        rows = [whole.part(range(y, y + 1), range(1)) for y in range(whole.out_height)]
        assert max(row.n_axons for row in rows) > max_axons or whole.out_width > max_neurons


@pytest.mark.parametrize(
    ("max_axons", "max_neurons", "cut"),
    [
        (4096, 4096, [(range(16), range(16))]),
        (4096, 2048, [(range(16), range(8)), (range(16), range(8, 16))]),
        (2400, 4096, [(range(8), range(16)), (range(8, 16), range(16))]),
        (2400, 1024, [(range(8 * i, 8 * i + 8), range(8 * j, 8 * j + 8)) for i, j in
                      ((0, 0), (0, 1), (1, 0), (1, 1))]),
        (80, 4096, []),
        (4096, 15, []),
    ],
)  # fmt: skip
def test_a_map_is_cut_by_channels_before_rows(
    max_axons: int, max_neurons: int, cut: list[tuple[range, range]]
) -> None:
    assert cut_map(CAMERA, max_axons, max_neurons, 8) == cut


def test_few_lanes_have_no_channel() -> None:
    channels = (1, 2, 3, 5, 6, 9, 10, 12, 16, 17, 48)
    assert [lanes_of_channels(n, 8) for n in channels] == [1, 2, 4, 8, 8, 4, 8, 8, 8, 8, 8]
    assert [pipelines_of_channels(n, 8) for n in channels] == [1, 2, 1, 1, 2, 1, 2, 4, 8, 1, 8]
