"""Neuron memories and update pipelines. Twin of ``golden/neuron_array.py``."""

from typing import Any

from amaranth import Array, C, Cat, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.core_states import STATE_WORD_BITS
from spikelet.description.chip.memory_map import Region
from spikelet.description.chip.neuron_words import StateField, state_fields, state_span
from spikelet.description.chip.teacher import error_bits
from spikelet.rtl_gen.draws import Draws
from spikelet.rtl_gen.layouts import CONFIG_LATENCY, RegionPort, delayed
from spikelet.rtl_gen.neuron_memory import READ_LATENCY, NeuronMemory
from spikelet.rtl_gen.neuron_update import NeuronUpdate
from spikelet.rtl_gen.rest import Rest

__all__ = ["NeuronArray"]

_Values = dict[str, list[Value]]
"""For each name, a value for each pipeline."""


class NeuronArray(wiring.Component):
    """The neurons of a core: a row of ``pipelines`` neurons enters with each row of sums.

    Each state word of :func:`state_fields` has a memory, and so have each state that ``clear``
    keeps and each parameter that neurons have of their own.

    Timing: a row in and a row out in every cycle; a row leaves :attr:`latency` cycles after its
    sums came. Clearing takes ``rows`` cycles.
    Reset: stops; does not clear the memories. Shared parameters become 0.

    Parameters
    ----------
    core : CoreParams
    regions : dict of Region
        Of the core, by name.

    Members
    -------
    start : ``In(1)``
        A tick begins: the next sums are those of row 0.
    clear : ``In(1)``
        Set the states to zero, but those that it keeps.
    sums_valid : ``In(1)``
    sums : ``In(pipelines * current_bits)``
    update : ``In(1)``
        Low: sums pass without effect, for the ticks before ``first_tick``.
    fired_valid : ``Out(1)``
        A row has been updated, in ascending order.
    fired : ``Out(pipelines * fired_bits)``
    potentials : ``Out(pipelines * potential_bits)``
        After the update, with ``fired``.
    teacher_sums : ``In(pipelines * teacher_bits)``
        With ``sums``, where the core has axons of teachers.
    errors : ``Out(pipelines * error_bits)``
        States ``e`` after the update, with ``fired``, where the rule reads them.
    learning : ``In(1)``
        What the text of the neuron model reads under this name; holds still while ``busy``.
    others_fired : ``In(1)``
        Strobe, before the first sums of a tick: neurons of other cores have fired in the tick
        before. In a core with an ``inhibition_axon``.
    axon_valid : ``In(1)``, quiet : ``Out(1)``
        In a core that rests: an axon is active; the neurons rest, and none has been in this tick.
    busy : ``Out(1)``
    state, draws, NAME : ``In(RegionPort(...))``
        Configuration access, while not ``busy``: states, parameters by name, and what neurons draw
        from, as far as the core has them.
    """

    def __init__(self, core: CoreParams, regions: dict[str, Region]) -> None:
        self.core = core
        self.regions = regions
        update = core.update
        drawing = ("draws",) if update.draws else ()
        self.ports = ["state", *update.kept, *update.parameters, *drawing]
        self.latency = READ_LATENCY + len(update.lines)
        super().__init__(
            {
                "start": In(1),
                "clear": In(1),
                "sums_valid": In(1),
                "sums": In(core.pipelines * core.current_bits),
                "update": In(1),
                "fired_valid": Out(1),
                "fired": Out(core.pipelines * core.fired_bits),
                "potentials": Out(core.pipelines * core.potential_bits),
                "learning": In(1),
                "busy": Out(1),
                **({"others_fired": In(1)} if core.inhibition_axon else {}),
                **({"axon_valid": In(1), "quiet": Out(1)} if core.rests else {}),
                **self._taught(),
                **{
                    name: In(RegionPort((regions[name].span - 1).bit_length(), regions[name].bits))
                    for name in self.ports
                },
            }
        )

    def _taught(self) -> dict[str, Any]:
        """Return the members for teachers and errors, as far as the core has any."""
        core = self.core
        found: dict[str, Any] = {}
        if core.teacher_axons:
            found["teacher_sums"] = In(core.pipelines * core.teacher_bits)
        if bits := error_bits(core.learning):
            found["errors"] = Out(core.pipelines * bits)
        return found

    def elaborate(self, platform: object) -> Module:
        m = Module()
        core = self.core
        in_flight = Signal(self.latency)
        m.d.sync += in_flight.eq(Cat(self.sums_valid, in_flight))
        self._entering = self.sums_valid
        self._read_row = read_row = Signal(range(core.rows))
        with m.If(self.start):
            m.d.sync += read_row.eq(0)
        with m.Elif(self._entering):
            m.d.sync += read_row.eq(read_row + 1)
        self._clearing = Signal(name="clearing")
        self._write_row = self._count_written(m, in_flight[-1])

        m.submodules += (pipelines := [NeuronUpdate(core) for _ in range(core.pipelines)])
        results: _Values = {
            name: [pipeline.result[name] for pipeline in pipelines] for name in core.state_ranges
        }
        entering = {
            **self._states(m, results),
            **{name: self._kept(m, name, results[name]) for name in core.update.kept},
            **{name: self._parameter(m, name) for name in core.update.parameters},
        }
        if core.rests:
            self._rest(m, entering, results, in_flight[-1])
        entering |= self._inputs(m, entering["fired"], in_flight)
        for lane, pipeline in enumerate(pipelines):
            m.d.comb += [
                pipeline.neuron[name].eq(entering[name][lane])
                for name in pipeline.neuron.shape().members
            ]
        m.d.comb += [
            self.fired_valid.eq(in_flight[-1] & self.update),
            self.fired.eq(Cat(results["fired"])),
            self.potentials.eq(Cat(_as_wide(m, v, core.potential_bits) for v in results["v"])),
            self.busy.eq(self.sums_valid | in_flight.any() | self._clearing),
        ]
        if bits := error_bits(core.learning):
            m.d.comb += self.errors.eq(Cat(_as_wide(m, e, bits) for e in results["e"]))
        return m

    def _rest(self, m: Module, entering: _Values, results: _Values, leaving: Value) -> None:
        """Build what knows whether the neurons rest."""
        m.submodules.rest = rest = Rest(self.core, len(self.core.update.lines))
        writes = Cat(getattr(self, name).write for name in self.ports)
        m.d.comb += [
            rest.start.eq(self.start),
            rest.woken.eq(self.clear | writes.any()),
            rest.axon_valid.eq(self.axon_valid),
            rest.row_valid.eq(leaving),
            rest.held.eq(~self.update if self.core.first_tick else 0),
            self.quiet.eq(rest.quiet),
        ]
        for row, values in ((rest.entering, entering), (rest.leaving, results)):
            for lane in range(self.core.pipelines):
                for name in self.core.state_ranges:
                    m.d.comb += row[lane][name].eq(values[name][lane])

    def _count_written(self, m: Module, leaving: Value) -> Signal:
        """Count the rows that are written: those that leave the pipelines, or are cleared."""
        row, clearing = Signal(range(self.core.rows), name="write_row"), self._clearing
        with m.If(self.start | self.clear):
            m.d.sync += row.eq(0)
        with m.Elif(leaving | clearing):
            m.d.sync += row.eq(row + 1)
        with m.If(self.clear):
            m.d.sync += clearing.eq(1)
        with m.Elif(row == self.core.rows - 1):
            m.d.sync += clearing.eq(0)
        return row

    def _inputs(self, m: Module, fired: list[Value], in_flight: Signal) -> _Values:
        """Return what a text can read besides states and parameters."""
        core, inputs = self.core, self.core.update.inputs
        sums = delayed(m, self.sums, READ_LATENCY, name="sums")
        lanes = range(core.pipelines)
        found = {
            "current": [sums.word_select(lane, core.current_bits) for lane in lanes],
            "learning": [self.learning] * core.pipelines,
        }
        if core.teacher_axons:
            taught = delayed(m, self.teacher_sums, READ_LATENCY, name="delayed_teacher_sums")
            found["teacher"] = [taught.word_select(lane, core.teacher_bits) for lane in lanes]
        if "inhibited" in inputs:
            some_fired = self._some_fired(m)
            silent = [~mark if len(mark) == 1 else mark == 0 for mark in fired]
            some = some_fired | self._others_fired(m) if core.inhibition_axon else some_fired
            found["inhibited"] = [some & mark for mark in silent]
        if core.update.draws:
            m.submodules.draw_words = drawn = Draws(core, self.regions["draws"])
            # A word comes as late as it is read.
            late = READ_LATENCY + core.update.lines_before_draws - Draws.latency
            m.d.comb += [
                drawn.start.eq(self.start),
                drawn.clear.eq(self.clear),
                drawn.valid.eq(in_flight[late - 1]),
            ]
            connect(m, flipped(self.draws), drawn.draws)
            halves = [drawn.words.word_select(half, 16) for half in range(2 * core.pipelines)]
            found |= {"draw_low": halves[::2], "draw": halves[1::2]}
        return found

    def _some_fired(self, m: Module) -> Signal:
        """Note for the coming tick whether any neuron has fired in this one."""
        some_fired, firing = Signal(name="some_fired"), Signal(name="firing")
        place = state_fields(self.core)["fired"]
        loaded: Value = self.state.data[place.first_bit]
        if place.bits > 1:
            loaded = self.state.data[place.first_bit : place.first_bit + place.bits].any()
        restores = self._writes(place.word) & loaded
        with m.If(self.start):
            m.d.sync += [some_fired.eq(firing), firing.eq(0)]
        with m.Elif(self.clear):
            m.d.sync += firing.eq(0)
        with m.Elif((self.fired_valid & self.fired.any()) | restores):
            m.d.sync += firing.eq(1)
        return some_fired

    def _others_fired(self, m: Module) -> Signal:
        """Note for this tick whether any neuron of another core has fired in the one before."""
        others = Signal(name="others_fired_before")
        with m.If(self.start):
            m.d.sync += others.eq(0)
        with m.Elif(self.others_fired):
            m.d.sync += others.eq(1)
        return others

    def _memory(self, m: Module, name: str, bits: int, *, updated: bool) -> NeuronMemory:
        """Build the memory of a word for each neuron, without its configuration access."""
        memory = NeuronMemory(self.core, bits, updated=updated)
        m.submodules[f"{name}_memory"] = memory
        m.d.comb += [memory.row.eq(self._read_row), memory.enable.eq(self._entering)]
        if updated:
            m.d.comb += memory.new_row.eq(self._write_row)
        return memory

    def _region_memory(self, m: Module, name: str, *, updated: bool) -> NeuronMemory:
        """Build the memory of a region of a word for each neuron."""
        port = getattr(self, name)
        memory = self._memory(m, name, len(port.data), updated=updated)
        waited = CONFIG_LATENCY - READ_LATENCY
        m.d.comb += [
            memory.number.eq(port.offset),
            memory.read.eq(port.read),
            memory.write.eq(port.write),
            memory.data.eq(port.data),
            port.read_data.eq(delayed(m, memory.word, waited, name=f"{name}_word")),
        ]
        return memory

    def _parameter(self, m: Module, name: str) -> list[Value]:
        port, pipelines = getattr(self, name), self.core.pipelines
        if self.core.scope(name) == "shared":
            # Not `name` itself: Yosys's functions have arguments such as `a`, which it would hide.
            register = Signal(len(port.data), name=f"shared_{name}")
            with m.If(port.write):
                m.d.sync += register.eq(port.data)
            m.d.comb += port.read_data.eq(register)
            return [register] * pipelines
        memory = self._region_memory(m, name, updated=False)
        return [memory.values.word_select(lane, memory.bits) for lane in range(pipelines)]

    def _kept(self, m: Module, name: str, new: list[Value]) -> list[Value]:
        """Return a state that ``clear`` keeps."""
        memory = self._region_memory(m, name, updated=True)
        m.d.comb += [memory.new_values.eq(Cat(new)), memory.update.eq(self.fired_valid)]
        return [memory.values.word_select(lane, memory.bits) for lane in range(self.core.pipelines)]

    def _states(self, m: Module, results: _Values) -> _Values:
        """Return the states that ``clear`` clears."""
        core = self.core
        fields = state_fields(core)
        word_bits = state_span(core).bit_length() - 1
        found: _Values = {}
        words = []
        for word in range(1 + max(field.word for field in fields.values())):
            inside = _from_bit_0(fields, word)
            bits = [core.state_bits[name] for name in inside]
            name = f"state_{word}" if word else "state"
            memory = self._memory(m, name, sum(bits), updated=True)
            new = Cat(Cat(results[name][lane] for name in inside) for lane in range(core.pipelines))
            loaded = Cat(
                self.state.data[fields[name].first_bit :][: core.state_bits[name]]
                for name in inside
            )
            m.d.comb += [
                memory.new_values.eq(Mux(self._clearing, 0, new)),
                memory.update.eq(self.fired_valid | self._clearing),
                memory.number.eq(self.state.offset[word_bits:]),
                memory.read.eq(self.state.read),
                memory.write.eq(self._writes(word)),
                memory.data.eq(loaded),
            ]
            places = [sum(bits[:index]) for index in range(len(bits))]
            for lane in range(core.pipelines):
                row = memory.values.word_select(lane, memory.bits)
                for name, first, width in zip(inside, places, bits, strict=True):
                    found.setdefault(name, []).append(row[first : first + width])
            words.append(self._read_back(m, word, memory.word, inside, fields))
        offset = delayed(m, self.state.offset[:word_bits], READ_LATENCY + 1, name="state_offset")
        waited = CONFIG_LATENCY - READ_LATENCY - 1
        chosen = Array(words)[offset] if word_bits else words[0]
        m.d.comb += self.state.read_data.eq(delayed(m, chosen, waited, name="state_word"))
        return found

    def _writes(self, word: int) -> Value:
        """Return whether the configuration port writes this word of a neuron."""
        word_bits = state_span(self.core).bit_length() - 1
        return self.state.write & (self.state.offset[:word_bits] == word)

    def _read_back(
        self,
        m: Module,
        number: int,
        stored: Value,
        inside: list[str],
        fields: dict[str, StateField],
    ) -> Value:
        """Return a state word for the configuration port, a cycle later."""
        register = Signal(len(stored), name=f"read_word_{number}")
        m.d.sync += register.eq(stored)
        word: list[Value] = []
        first = 0
        for name in inside:
            bits = self.core.state_bits[name]
            value = register[first : first + bits]
            value = value.as_signed() if fields[name].signed else value
            word.append(_as_wide(m, value, fields[name].bits))
            first += bits
        return Cat(word, C(0, STATE_WORD_BITS - sum(len(part) for part in word)))


def _from_bit_0(fields: dict[str, StateField], word: int) -> list[str]:
    """Return the states in a word, in the order of their bits."""
    return sorted(
        (name for name, field in fields.items() if field.word == word),
        key=lambda name: fields[name].first_bit,
    )


def _as_wide(m: Module, value: Value, bits: int) -> Value:
    """Return a value in so many bits, with its sign in all above its own."""
    wide = Signal(signed(bits) if value.shape().signed else unsigned(bits), name="wide")
    m.d.comb += wide.eq(value)
    return wide.as_unsigned()
