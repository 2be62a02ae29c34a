# amaranth: UnusedElaboratable=no
"""Crossbars of convolutions on random geometries, in Amaranth's simulator: golden's sums.

The memory of sums is as bad as silicon may be: it powers up with anything, and a row that is read
while it is written reads as something else.
"""

import numpy as np
import pytest

from spikelet.description.synapses.convolution import ConvolutionShape
from spikelet.golden.synapses.sums import synaptic_sums
from spikelet.rtl_gen.banked_memory import BankedMemory
from spikelet.rtl_gen.sum_memory import SumMemory
from tests.helpers.crossbar_ticks import PoorMemory, crossbar_sums
from tests.helpers.random_convolutions import (
    convolution_core,
    random_convolution,
    random_kernel,
)

DENSITIES = (0.0, 1.0, 1.0, 0.5, 0.2, 0.05, 0.0, 0.1)


def check(seed: int, synapses: str) -> ConvolutionShape:
    """Compare a core of random geometry with golden; return the geometry."""
    rng = np.random.default_rng(seed)
    convolution = random_convolution(rng)
    core = convolution_core(rng, convolution, synapses)
    kernel = random_kernel(rng, core)
    ticks = np.stack([rng.random(core.n_axons) < density for density in DENSITIES])
    assert crossbar_sums(core, kernel, ticks, rng) == synaptic_sums(core, ticks, kernel).tolist()
    return convolution


@pytest.fixture(autouse=True)
def poor_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the memory of sums be a poor one."""

    def memory(self: SumMemory) -> BankedMemory:
        return PoorMemory(depth=self.rows, banks=1, bank_bits=self.lanes * self.bits)

    monkeypatch.setattr(SumMemory, "memory", memory)


@pytest.mark.parametrize("synapses", ["shared", "gather"])
@pytest.mark.parametrize("seed", range(8))
def test_its_sums_are_those_of_golden(seed: int, synapses: str) -> None:
    check(seed, synapses)


@pytest.mark.slow
@pytest.mark.parametrize("synapses", ["shared", "gather"])
def test_its_sums_are_those_of_golden_whatever_the_geometry(synapses: str) -> None:
    found = [check(seed, synapses) for seed in range(100, 250)]
    for name in ("stride_y", "stride_x", "dilation_y", "dilation_x", "kernel_height", "padding_x"):
        assert {getattr(convolution, name) for convolution in found} >= {1, 2, 3}
    assert any(c.row_axons & (c.row_axons - 1) for c in found), "no rows of whole words"
