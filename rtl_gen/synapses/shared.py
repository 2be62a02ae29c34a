"""Shared synapses: a kernel, scattered over sums. Twin of ``golden/synapses/shared.py``."""

from amaranth import Cat, Module, Mux, Shape, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import connect, flipped

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.memory_map import Region
from spikelet.description.synapses.convolution import ConvolutionShape
from spikelet.rtl_gen.sum_memory import SumMemory
from spikelet.rtl_gen.synapse_memory import SynapseMemory
from spikelet.rtl_gen.synapses.blocks import rows_of_groups
from spikelet.rtl_gen.synapses.ports import crossbar_members
from spikelet.rtl_gen.synapses.tables import table

__all__ = ["SharedCrossbar"]

_DRAIN = 4
"""Cycles from ``leave`` until a row of sums has left the memory of sums."""


class SharedCrossbar(wiring.Component):
    """Adds the kernel of each active axon to the sums of the outputs that it reaches.

    A *visit* adds a row of the weight memory to a group's row of sums. Groups leave in ascending
    order, each as soon as no later axon can reach it, which axons in ascending order tell: rows of
    the input map never come back. A group that leaves takes the place of a visit.

    Timing: a visit a cycle for each output position and block of output channels that an axon
    reaches, and a cycle for an axon that reaches none; a cycle for each group that leaves, at least
    ``lanes / pipelines`` after the one before. ``ready`` is low while visits of earlier axons are
    under way. After a reset, a cycle for each group and as many between them, in which the sums are
    cleared; it is ``busy`` meanwhile.
    Reset: stops; the memory of sums is cleared, that of weights is not.

    Parameters
    ----------
    core : CoreParams
    regions : dict of Region
        Of the core, by name.

    Members
    -------
    Those of :func:`~spikelet.rtl_gen.synapses.ports.crossbar_members`.

    No bench of its own: ``sim/bench_crossbar.py`` runs it.
    """

    def __init__(self, core: CoreParams, regions: dict[str, Region]) -> None:
        self.core = core
        self.convolution = ConvolutionShape.of(core.synapse_options)
        self.blocks = self.convolution.blocks(core.lanes)
        self.used, self.used_last = self.convolution.lanes_in_use(core.lanes)
        self.region = regions["weights"]
        super().__init__(crossbar_members(core, regions))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        core = self.core
        m.submodules.weights = weights = SynapseMemory(
            core, self.region, bits=core.weight_bits, writable=False
        )
        connect(m, flipped(self.weights), weights.config)
        m.submodules.sum_memory = memory = SumMemory(
            rows=core.groups,
            lanes=self.used,
            bits=core.current_bits,
            addend=Shape(core.weight_bits, core.weight_format == "signed"),
        )
        load = Signal()  # the axon that has been looked up begins its visits
        leave = Signal()
        looked, found = self._look_up(m, load)
        visiting, visit, group, weight_row = self._visit(m, load, leave, looked, found)
        running, left_group, rows = self._leave(m, load, leave, looked | visiting, found)
        m.d.comb += [
            weights.read.eq(visit),
            weights.read_row.eq(weight_row),
            memory.addends.eq(weights.row_data[: len(memory.addends)]),
        ]
        m.d.sync += [
            memory.row.eq(Mux(leave, left_group, group)),
            memory.add.eq(visit),
            memory.leave.eq(leave),
        ]
        self._hand_over(m, leave, running, memory, rows)
        return m

    def _look_up(self, m: Module, load: Signal) -> tuple[Signal, dict[str, Signal]]:
        """Build tables of what an axon reaches; return whether one has been looked up, and it.

        ``first_*``: addends of the first group and of its weights' row; ``more_*``: further outputs
        along the axis; ``complete``: groups that neither this axon nor a later one reaches.
        """
        shape, blocks = self.convolution, self.blocks
        tap_rows = shape.channels * blocks
        line = shape.out_width * blocks
        y, x, channel = self._coordinates()
        tables = {
            "group_y": (y, [r.first * line for r in shape.y.reaches]),
            "group_x": (x, [r.first * blocks for r in shape.x.reaches]),
            "weight_y": (y, [r.tap * shape.kernel_width * tap_rows for r in shape.y.reaches]),
            "weight_x": (x, [r.tap * tap_rows for r in shape.x.reaches]),
            "weight_channel": (channel, [at * blocks for at in range(shape.channels)]),
            "more_y": (y, [max(0, r.n - 1) for r in shape.y.reaches]),
            "more_x": (x, [max(0, r.n - 1) for r in shape.x.reaches]),
            "reach_y": (y, [int(r.n > 0) for r in shape.y.reaches]),
            "reach_x": (x, [int(r.n > 0) for r in shape.x.reaches]),
            "reach_channel": (channel, [1] * shape.channels),
            "complete": (y, [out * line for out in shape.y.complete]),
        }
        coming, looked = Signal(), Signal()
        found = {}
        for name, (at, values) in tables.items():
            found[name] = Signal(range(max(values) + 1) if max(values) else 1, name=name)
            with m.If(coming):
                m.d.sync += found[name].eq(table(at, values))
        m.d.comb += [
            self.ready.eq(~looked | load),
            coming.eq(self.axon_valid & self.ready),
        ]
        m.d.sync += looked.eq(coming | (looked & ~load))
        return looked, found

    def _coordinates(self) -> tuple[Value, Value, Value]:
        """Return y, x and channel of the axon; what no axon has is beyond their tables."""
        shape = self.convolution
        channel_bits = (shape.pixel_axons - 1).bit_length()
        row_bits = (shape.row_axons - 1).bit_length()
        channel = self.axon[:channel_bits]
        if shape.row_axons == 1 << row_bits:
            return self.axon[row_bits:], self.axon[channel_bits:row_bits], channel
        # A row is whole words: the word tells y, and where in its row the word begins.
        word_bits = self.core.scan_bits.bit_length() - 1
        words_in_row = shape.row_axons >> word_bits
        words = range(self.core.scan_words)
        word = self.axon[word_bits:]
        y = table(word, [at // words_in_row for at in words])
        in_row = Cat(self.axon[:word_bits], table(word, [at % words_in_row for at in words]))
        return y, in_row[channel_bits:], channel

    def _visit(
        self, m: Module, load: Signal, leave: Signal, looked: Signal, found: dict[str, Signal]
    ) -> tuple[Signal, Value, Signal, Signal]:
        """Walk over the blocks of all positions that an axon reaches; return whether it does.

        Also whether there is a visit in this cycle, to which group, with which row of weights.
        """
        shape, blocks, core = self.convolution, self.blocks, self.core
        tap_rows = shape.channels * blocks
        next_line = shape.y.output_step * shape.out_width * blocks
        next_line_weight = shape.y.tap_step * shape.kernel_width * tap_rows
        next_position = (shape.x.output_step - 1) * blocks + 1
        next_position_weight = shape.x.tap_step * tap_rows + blocks - 1
        visiting = Signal()
        group, line_group = Signal(range(core.groups)), Signal(range(core.groups))
        weight, line_weight = Signal(range(core.weight_rows)), Signal(range(core.weight_rows))
        left_x, line_x = Signal.like(found["more_x"]), Signal.like(found["more_x"])
        left_y = Signal.like(found["more_y"])
        block = Signal(range(blocks))
        last_block = block == blocks - 1
        last = last_block & (left_x == 0) & (left_y == 0)
        visit = visiting & ~leave
        m.d.comb += load.eq(looked & (~visiting | (last & ~leave)))
        first_group = Signal.like(group)
        first_weight = Signal.like(weight)
        begun_group, begun_weight = Signal.like(group), Signal.like(weight)
        m.d.comb += [
            first_group.eq(found["group_y"] + found["group_x"]),
            first_weight.eq(found["weight_y"] + found["weight_x"] + found["weight_channel"]),
            begun_group.eq(Mux(load, first_group, line_group + next_line)),
            begun_weight.eq(Mux(load, first_weight, line_weight - next_line_weight)),
        ]
        with m.If(load | (visit & last_block & (left_x == 0))):
            m.d.sync += [
                visiting.eq(Mux(load, _reached(found), left_y != 0)),
                group.eq(begun_group),
                line_group.eq(begun_group),
                weight.eq(begun_weight),
                line_weight.eq(begun_weight),
                left_x.eq(Mux(load, found["more_x"], line_x)),
                left_y.eq(Mux(load, found["more_y"], left_y - 1)),
                block.eq(0),
            ]
            with m.If(load):
                m.d.sync += line_x.eq(found["more_x"])
        with m.Elif(visit & last_block):
            m.d.sync += [
                group.eq(group + next_position),
                weight.eq(weight - next_position_weight),
                left_x.eq(left_x - 1),
                block.eq(0),
            ]
        with m.Elif(visit):
            m.d.sync += [group.eq(group + 1), weight.eq(weight + 1), block.eq(block + 1)]
        return visiting, visit, group, weight

    def _leave(
        self, m: Module, load: Signal, leave: Signal, visits_left: Value, found: dict[str, Signal]
    ) -> tuple[Signal, Signal, Value | int]:
        """Let groups leave in order; return whether any is still to leave, and the next.

        Also the rows of the group whose sums leave the memory. After a reset all leave, which
        clears their sums.
        """
        core = self.core
        rows, left_rows = rows_of_groups(m, core, leave, _DRAIN - 1)
        running = Signal(init=1)
        group = Signal(range(core.groups + 1))
        limit = Signal(range(core.groups + 1), init=core.groups)
        cooldown = Signal(range(self.used // core.pipelines))
        m.d.comb += leave.eq(running & (group != limit) & (cooldown == 0))
        with m.If(self.start):
            m.d.sync += [running.eq(1), group.eq(0), limit.eq(0)]
        with m.Else():
            with m.If(running & load & _reached(found)):
                m.d.sync += limit.eq(found["complete"])
            with m.If(running & ~(self.scanning | self.axon_valid | visits_left)):
                m.d.sync += limit.eq(core.groups)
            with m.If(leave):
                m.d.sync += [group.eq(group + 1), running.eq(group != core.groups - 1)]
        with m.If(leave):
            m.d.sync += cooldown.eq(rows - 1)
        with m.Elif(cooldown != 0):
            m.d.sync += cooldown.eq(cooldown - 1)
        return running, group, left_rows

    def _hand_over(
        self, m: Module, leave: Signal, running: Signal, memory: SumMemory, rows: Value | int
    ) -> None:
        """Let the sums of a group leave, ``pipelines`` in a cycle."""
        leaving = Signal(len(memory.sums))
        rows_left = Signal(range(self.used // self.core.pipelines + 1))
        cleared = Signal()  # what leaves are sums of a tick
        draining = Signal(_DRAIN)
        m.d.sync += [
            draining.eq(Cat(leave, draining)),
            cleared.eq(cleared | ~(running | draining.any())),
        ]
        with m.If(memory.left & cleared):
            m.d.sync += [leaving.eq(memory.sums), rows_left.eq(rows)]
        with m.Elif(self.sums_valid):
            m.d.sync += [leaving.eq(leaving >> len(self.sums)), rows_left.eq(rows_left - 1)]
        m.d.comb += [
            self.sums_valid.eq(rows_left != 0),
            self.sums.eq(leaving),
            self.busy.eq(running | draining.any() | ~cleared | self.sums_valid),
        ]


def _reached(found: dict[str, Signal]) -> Value:
    """Return whether the axon that has been looked up reaches any output."""
    return found["reach_y"] & found["reach_x"] & found["reach_channel"]
