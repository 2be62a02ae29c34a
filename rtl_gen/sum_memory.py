"""Sums that are added to row by row. No twin in golden: they are an array there."""

from amaranth import Module, Mux, Shape, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from spikelet.rtl_gen.banked_memory import BankedMemory
from spikelet.rtl_gen.layouts import delayed

__all__ = ["SumMemory"]


class SumMemory(wiring.Component):
    """Adds to any row, or takes it and leaves zero: one of the two in a cycle.

    Addressed in one cycle, a row is read, added to and written in the three that follow. Of the
    three items before it some are not in the memory when it is read; if one of them is of the same
    row, its sum is forwarded. So a row that is read while it is written may read as anything: it is
    not used. ``formal/sums.py`` proves that what leaves is the sum of what was added.

    No bench of its own: ``sim/bench_crossbar.py`` runs it as part of the shared crossbar.

    Timing: ``addends`` belong to the ``add`` of two cycles before; ``left`` and ``sums`` come two
    cycles after ``leave``.
    Reset: does not clear the contents. Each row must leave once before it is added to.

    Parameters
    ----------
    rows, lanes : int
    bits : int
        Of a sum, signed.
    addend : Shape
        Of a lane's addend.
    kind : str
        As for :class:`BankedMemory`.

    Members
    -------
    add, leave : ``In(1)``
        Not both.
    row : ``In(range(rows))``
    addends : ``In(lanes * addend.width)``
    left : ``Out(1)``
    sums : ``Out(lanes * bits)``
    """

    def __init__(
        self, *, rows: int, lanes: int, bits: int, addend: Shape, kind: str = "block"
    ) -> None:
        self.rows = rows
        self.lanes = lanes
        self.bits = bits
        self.addend = addend
        self.kind = kind
        super().__init__(
            {
                "add": In(1),
                "leave": In(1),
                "row": In(range(rows)),
                "addends": In(lanes * addend.width),
                "left": Out(1),
                "sums": Out(lanes * bits),
            }
        )

    def memory(self) -> BankedMemory:
        """Return the memory of rows."""
        return BankedMemory(
            depth=self.rows, banks=1, bank_bits=self.lanes * self.bits, kind=self.kind
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.memory = memory = self.memory()
        # An item is addressed, read, added, written; then it has been written.
        row, active = [self.row], [self.add | self.leave]
        for stage in range(1, 5):
            row.append(delayed(m, row[-1], 1, name=f"row_{stage}"))
            active.append(delayed(m, active[-1], 1, name=f"active_{stage}"))
        m.d.comb += self.left.eq(delayed(m, self.leave, 2, name="leaving"))

        def same(behind: int, ahead: int) -> Signal:
            """Return whether, a cycle ago, items at two stages were of one row."""
            found = Signal(name=f"same_{behind}_{ahead}")
            m.d.sync += found.eq((row[behind] == row[ahead]) & active[ahead])
            return found

        # When an item is added to, the item before has just been added to, the second is being
        # written, the third has been written, which is forwarded by way of ``forward``.
        first, second, third = same(1, 2), same(0, 2), same(0, 3)
        read, added, written, forward = (
            Signal(self.lanes * self.bits, name=name)
            for name in ("read", "added", "written", "forward")
        )
        m.d.sync += [
            read.eq(memory.read_data),  # by itself: a block RAM's output is slow
            written.eq(added),
            forward.eq(Mux(second, added, written)),
        ]
        forwarded = delayed(m, second | third, 1, name="forwarded")
        m.d.comb += self.sums.eq(Mux(first, added, Mux(forwarded, forward, read)))
        for lane in range(self.lanes):
            total = self.sums.word_select(lane, self.bits).as_signed()
            addend = self.addends.word_select(lane, self.addend.width)
            term = addend.as_signed() if self.addend.signed else addend
            m.d.sync += added.word_select(lane, self.bits).eq(total + term)
        with m.If(self.left):
            m.d.sync += added.eq(0)
        m.d.comb += [
            memory.read_row.eq(row[0]),
            memory.read_enable.eq(active[0]),
            memory.write_row.eq(row[3]),
            memory.write_data.eq(added),
            memory.write_banks.eq(active[3]),
        ]
        return m
