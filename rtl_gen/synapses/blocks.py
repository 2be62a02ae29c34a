"""How many rows of neurons the groups of a convolution have. No twin: it computes nothing."""

from amaranth import Module, Mux, Signal, Value

from spikelet.description.chip.core import CoreParams
from spikelet.description.synapses.convolution import ConvolutionShape
from spikelet.rtl_gen.layouts import delayed

__all__ = ["rows_of_groups"]


def rows_of_groups(
    m: Module, core: CoreParams, ends: Value, delay: int
) -> tuple[Value | int, Value | int]:
    """Return the rows of neurons of the group that ends next, and of that ``delay`` cycles ago.

    A constant, unless the last block of output channels has fewer than the others.

    Parameters
    ----------
    m : Module
    core : CoreParams
    ends : Value
        A group ends: in ascending order, all in each tick.
    delay : int
    """
    shape = ConvolutionShape.of(core.synapse_options)
    whole, last = (n // core.pipelines for n in shape.lanes_in_use(core.lanes))
    if whole == last:
        return whole, whole
    blocks = shape.blocks(core.lanes)
    block = Signal(range(blocks), name="ending_block")
    is_last = block == blocks - 1
    with m.If(ends):
        m.d.sync += block.eq(Mux(is_last, 0, block + 1))
    rows = Mux(is_last, last, whole)
    return rows, delayed(m, rows, delay, name="rows_of_group")
