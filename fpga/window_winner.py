"""Spike counts of a window of ticks, and the output line that has most."""

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from spikelet.description.checks import unsigned_bits
from spikelet.description.chip.params import ChipParams
from spikelet.fpga import memories

__all__ = ["COUNT_BITS", "WindowWinner", "count_memory"]

COUNT_BITS = 16
"""Of the count of an output line's spikes in a window, which stays at its largest value."""


def count_memory(chip: ChipParams) -> memories.Memory:
    """Return the memory of spike counts."""
    return memories.Memory("window counts", chip.n_outputs, COUNT_BITS, kind="block")


class WindowWinner(wiring.Component):
    """Counts the spikes of each output line until a window ends; says which line has most.

    Only the line that spikes can come to have most, so the winner follows without looking at the
    others: it is right in every cycle in which ``counting`` is low. Of lines with equal counts,
    also of those that have reached the largest, the lowest wins. Lines that are not there are
    taken, and do not count.

    Timing: an event is taken in one cycle and counted in the next, in which none is taken. Behind
    ``ends``, which comes while ``counting`` is low, and behind a reset the counts are cleared, a
    line a cycle.

    Parameters
    ----------
    n_outputs : int
        Output lines.
    line_bits : int
        Of an event's line, which may name lines that are not there.
    number_bits : int
        Of the number of spikes that an event stands for; up to 16.

    Members
    -------
    i : ``In(stream of line and number)``
        ``number``: of spikes; where spikes are not graded always 1.
    ends : ``In(1)``
        The window is over: no event comes in this cycle.
    counting : ``Out(1)``
        A spike is still to be counted, or counts are being cleared.
    winner : ``Out(bits of an output line)``
        0 while no line has spiked.
    empty : ``Out(1)``
        No line has spiked in this window.
    """

    def __init__(self, n_outputs: int, line_bits: int, number_bits: int = 1) -> None:
        self.n_outputs, self.line_bits, self.number_bits = n_outputs, line_bits, number_bits
        layout = data.StructLayout({"line": line_bits, "number": number_bits})
        super().__init__(
            {
                "i": In(stream.Signature(layout)),
                "ends": In(1),
                "counting": Out(1),
                "winner": Out(unsigned_bits(n_outputs - 1)),
                "empty": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.counts = memory = Memory(
            shape=COUNT_BITS,
            depth=self.n_outputs,
            init=[],
            attrs={"no_rw_check": 1, "ram_style": "block"},
        )
        read, write = memory.read_port(), memory.write_port()
        line: Value = self.i.p.line
        counted, added = Signal(self.line_bits), Signal(self.number_bits)
        index = Signal(range(self.n_outputs))
        best, winner = Signal(COUNT_BITS), self.winner
        total, now = Signal(COUNT_BITS + 1), Signal(COUNT_BITS)
        m.d.comb += [
            read.addr.eq(line),
            total.eq(read.data + added),
            now.eq(total[:COUNT_BITS] | total[COUNT_BITS].replicate(COUNT_BITS)),
            self.empty.eq(best == 0),
        ]
        with m.FSM():
            with m.State("CLEAR"):
                m.d.comb += [write.addr.eq(index), write.en.eq(1), self.counting.eq(1)]
                m.d.sync += [index.eq(index + 1), best.eq(0), winner.eq(0)]
                with m.If(index == self.n_outputs - 1):
                    m.d.sync += index.eq(0)
                    m.next = "WAIT"
            with m.State("WAIT"):
                m.d.sync += [counted.eq(line), added.eq(self.i.p.number)]
                m.d.comb += [self.i.ready.eq(1), read.en.eq(1)]
                with m.If(self.ends):
                    m.next = "CLEAR"
                with m.Elif(self.i.valid & (line < self.n_outputs)):
                    m.next = "ADD"
            with m.State("ADD"):
                m.d.comb += [write.addr.eq(counted), write.data.eq(now), write.en.eq(1)]
                m.d.comb += self.counting.eq(1)
                with m.If((now > best) | ((now == best) & (counted < winner))):
                    m.d.sync += [best.eq(now), winner.eq(counted)]
                m.next = "WAIT"
        return m
