"""Neuron memories and update pipelines. Twin of ``golden/neuron_array.py``."""

from amaranth import C, Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.memory_map import STATE_FIRED_BIT, Region
from spikelet.rtl_gen.banked_memory import BankedMemory
from spikelet.rtl_gen.layouts import CONFIG_LATENCY, RegionPort, delayed
from spikelet.rtl_gen.lif_update import LifUpdate
from spikelet.rtl_gen.trace_update import less_fraction

__all__ = ["PARAMETERS", "NeuronArray"]

PARAMETERS = ("threshold", "decay", "bias", "reset_potential", "inhibition")
"""Regions of the neuron parameters, where a core has them."""

_READ_LATENCY = 2


class NeuronArray(wiring.Component):
    """The neurons of a core: a row of ``pipelines`` neurons enters with each row of sums.

    A row of the state memory holds potential and fired mark of each of its neurons.

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
        Set all potentials and fired marks to zero.
    sums_valid : ``In(1)``
    sums : ``In(pipelines * current_bits)``
    update : ``In(1)``
        Low: sums pass without effect, for the ticks before ``first_tick``.
    fired_valid : ``Out(1)``
        A row has been updated, in ascending order.
    fired : ``Out(pipelines)``
    potentials : ``Out(pipelines * potential_bits)``
        After the update, with ``fired``.
    learning : ``In(1)``
        Let adaptations change.
    busy : ``Out(1)``
    state, threshold, decay, bias, reset_potential, inhibition, adaptation : ``In(RegionPort(...))``
        Configuration access, while not ``busy``; as far as the core has them.
    """

    def __init__(self, core: CoreParams, regions: dict[str, Region]) -> None:
        self.core = core
        self.parameters = [name for name in PARAMETERS if name in regions]
        self.ports = ["state", *self.parameters, *(["adaptation"] if core.adaptation else [])]
        self.wait = 1 if core.adaptation else 0
        self.latency = _READ_LATENCY + self.wait + LifUpdate.latency
        super().__init__(
            {
                "start": In(1),
                "clear": In(1),
                "sums_valid": In(1),
                "sums": In(core.pipelines * core.current_bits),
                "update": In(1),
                "fired_valid": Out(1),
                "fired": Out(core.pipelines),
                "potentials": Out(core.pipelines * core.potential_bits),
                "learning": In(1),
                "busy": Out(1),
                **{
                    name: In(RegionPort((regions[name].span - 1).bit_length(), regions[name].bits))
                    for name in self.ports
                },
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        core = self.core
        self._some_fired = Signal(name="some_fired")
        self._restores_fired = self.state.write & self.state.data[STATE_FIRED_BIT]
        state_bits = core.potential_bits + 1
        m.submodules.state_memory = memory = BankedMemory(
            depth=core.rows, banks=core.pipelines, bank_bits=state_bits
        )

        read_row = Signal(range(core.rows))
        with m.If(self.start):
            m.d.sync += read_row.eq(0)
        with m.Elif(self.sums_valid):
            m.d.sync += read_row.eq(read_row + 1)
        sums = delayed(m, self.sums, _READ_LATENCY, name="sums")
        state = Signal(len(memory.read_data))
        m.d.sync += state.eq(memory.read_data)
        entering = state
        parameters = {name: self._parameter(m, name, read_row) for name in self.parameters}
        if core.adaptation:
            parameters["threshold"] = self._adapted(m, read_row, parameters["threshold"])
            entering = delayed(m, state, self.wait, name="state")
            sums = delayed(m, sums, self.wait, name="sums")
            for name in self.parameters:
                if name != "threshold" and getattr(core, name) == "neuron":
                    parameters[name] = [
                        delayed(m, value, self.wait, name=f"{name}_{lane}")
                        for lane, value in enumerate(parameters[name])
                    ]

        m.submodules += (pipelines := [LifUpdate(core) for _ in range(core.pipelines)])
        for lane, pipeline in enumerate(pipelines):
            neuron_state = entering.word_select(lane, state_bits)
            fields = {
                "v": neuron_state[: core.potential_bits],
                "fired": neuron_state[core.potential_bits],
                "current": sums.word_select(lane, core.current_bits),
                **{name: values[lane] for name, values in parameters.items()},
            }
            if core.inhibition != "none":
                fields["inhibited"] = self._some_fired & ~fields["fired"]
            m.d.comb += [pipeline.neuron[name].eq(value) for name, value in fields.items()]

        in_flight = Signal(self.latency)
        m.d.sync += in_flight.eq(Cat(self.sums_valid, in_flight))
        m.d.comb += [
            self.fired_valid.eq(in_flight[-1] & self.update),
            self.fired.eq(Cat(pipeline.fired_next for pipeline in pipelines)),
            self.potentials.eq(Cat(pipeline.v_next for pipeline in pipelines)),
        ]
        self._note_fired(m)

        # Writing: a row that leaves the pipelines, the configuration port, or clearing.
        row, lane = self._row_and_lane(self.state.offset)
        write_row = Signal(range(core.rows))
        clearing = Signal()
        with m.If(self.start | self.clear):
            m.d.sync += write_row.eq(0)
        with m.Elif(in_flight[-1] | clearing):
            m.d.sync += write_row.eq(write_row + 1)
        with m.If(self.clear):
            m.d.sync += clearing.eq(1)
        with m.Elif(write_row == core.rows - 1):
            m.d.sync += clearing.eq(0)
        loaded = Cat(self.state.data[: core.potential_bits], self.state.data[STATE_FIRED_BIT])
        updated = Cat(Cat(pipeline.v_next, pipeline.fired_next) for pipeline in pipelines)
        m.d.comb += [
            memory.read_row.eq(Mux(self.state.read, row, read_row)),
            memory.read_enable.eq(self.sums_valid | self.state.read),
            memory.write_row.eq(Mux(self.state.write, row, write_row)),
            memory.write_data.eq(
                Mux(self.state.write, loaded.replicate(core.pipelines), Mux(clearing, 0, updated))
            ),
            memory.write_banks.eq(
                Mux(
                    self.fired_valid | clearing,
                    C(-1, core.pipelines),
                    self.state.write << lane,
                )
            ),
            self.busy.eq(self.sums_valid | in_flight.any() | clearing),
        ]
        self._read_back(m, state, lane)
        return m

    def _note_fired(self, m: Module) -> None:
        """Note for the coming tick whether any neuron has fired in this one."""
        if self.core.inhibition == "none":
            return
        firing = Signal()
        with m.If(self.start):
            m.d.sync += [self._some_fired.eq(firing), firing.eq(0)]
        with m.Elif(self.clear):
            m.d.sync += firing.eq(0)
        with m.Elif((self.fired_valid & self.fired.any()) | self._restores_fired):
            m.d.sync += firing.eq(1)

    def _adapted(self, m: Module, read_row: Signal, threshold: list[Value]) -> list[Value]:
        """Raise thresholds by the adaptations, which rise and decay where ``learning``."""
        core, adaptation, port = self.core, self.core.adaptation, self.adaptation
        assert adaptation is not None
        m.submodules.adaptation_memory = memory = BankedMemory(
            depth=core.rows, banks=core.pipelines, bank_bits=adaptation.bits
        )
        row, lane = self._row_and_lane(port.offset)
        values = Signal(len(memory.read_data), name="adaptations")
        m.d.sync += values.eq(memory.read_data)
        adapted = []
        for pipeline in range(core.pipelines):
            value = values.word_select(pipeline, adaptation.bits)
            total = threshold[pipeline] + (value >> adaptation.fraction_bits)
            register = Signal(core.potential_bits, name=f"adapted_{pipeline}")
            m.d.sync += register.eq(Mux(total > core.v_max, core.v_max, total))
            adapted.append(register)

        # Decayed on the way, raised when the spike is known, then written.
        decayed = []
        for pipeline in range(core.pipelines):
            value = values.word_select(pipeline, adaptation.bits)
            shift = adaptation.decay_shift
            register = Signal(adaptation.bits, name=f"adaptation_decayed_{pipeline}")
            m.d.sync += register.eq(less_fraction(value, shift) if shift else value)
            decayed.append(register)
        waiting = delayed(
            m, Cat(decayed), self.latency - _READ_LATENCY - 1, name="adaptation_waiting"
        )
        raised = Signal(len(values))
        for pipeline in range(core.pipelines):
            value = waiting.word_select(pipeline, adaptation.bits)
            total = Signal(adaptation.bits + 1, name=f"adaptation_total_{pipeline}")
            m.d.comb += total.eq(value + Mux(self.fired[pipeline], adaptation.increment, 0))
            saturated = total[: adaptation.bits] | total[-1].replicate(adaptation.bits)
            m.d.sync += raised.word_select(pipeline, adaptation.bits).eq(saturated)
        writing = delayed(m, self.fired_valid & self.learning, 1, name="adaptation_writing")
        write_row = Signal(range(core.rows))
        with m.If(self.start):
            m.d.sync += write_row.eq(0)
        with m.Elif(writing):
            m.d.sync += write_row.eq(write_row + 1)
        m.d.comb += [
            memory.read_row.eq(Mux(port.read, row, read_row)),
            memory.read_enable.eq(self.sums_valid | port.read),
            memory.write_row.eq(Mux(port.write, row, write_row)),
            memory.write_data.eq(Mux(port.write, port.data.replicate(core.pipelines), raised)),
            memory.write_banks.eq(Mux(writing, C(-1, core.pipelines), port.write << lane)),
        ]
        at = delayed(m, lane, _READ_LATENCY, name="adaptation_lane")
        waited = CONFIG_LATENCY - _READ_LATENCY
        m.d.comb += port.read_data.eq(
            delayed(m, values.word_select(at, adaptation.bits), waited, name="adaptation_word")
        )
        return adapted

    def _row_and_lane(self, offset: Value) -> tuple[Value, Value]:
        """Split a neuron's number into the row and the place in the row."""
        lane_bits = (self.core.pipelines - 1).bit_length()
        return offset[lane_bits:], offset[:lane_bits]

    def _read_back(self, m: Module, state: Signal, lane: Value) -> None:
        """Give a state word to the configuration port."""
        core = self.core
        at = delayed(m, lane, _READ_LATENCY, name="read_lane")
        word = Signal(core.potential_bits + 1)
        m.d.sync += word.eq(state.word_select(at, len(word)))
        potential = word[: core.potential_bits].as_signed()
        wide = Signal(signed(STATE_FIRED_BIT))
        m.d.comb += wide.eq(potential)
        waited = CONFIG_LATENCY - _READ_LATENCY - 1
        m.d.comb += self.state.read_data.eq(
            delayed(m, Cat(wide, word[core.potential_bits]), waited, name="state_word")
        )

    def _parameter(self, m: Module, name: str, read_row: Signal) -> list[Value]:
        """Return a parameter for each pipeline, as ``_READ_LATENCY`` cycles after ``read_row``."""
        core, port = self.core, getattr(self, name)
        bits = len(port.data)
        if getattr(core, name) == "shared":
            register = Signal(bits, name=name)
            with m.If(port.write):
                m.d.sync += register.eq(port.data)
            m.d.comb += port.read_data.eq(register)
            return [register] * core.pipelines
        m.submodules[f"{name}_memory"] = memory = BankedMemory(
            depth=core.rows, banks=core.pipelines, bank_bits=bits
        )
        row, lane = self._row_and_lane(port.offset)
        values = Signal(len(memory.read_data), name=name)
        m.d.sync += values.eq(memory.read_data)
        m.d.comb += [
            memory.read_row.eq(Mux(port.read, row, read_row)),
            memory.read_enable.eq(self.sums_valid | port.read),
            memory.write_row.eq(row),
            memory.write_data.eq(port.data.replicate(core.pipelines)),
            memory.write_banks.eq(port.write << lane),
        ]
        at = delayed(m, lane, _READ_LATENCY, name=f"{name}_lane")
        waited = CONFIG_LATENCY - _READ_LATENCY
        m.d.comb += port.read_data.eq(
            delayed(m, values.word_select(at, bits), waited, name=f"{name}_word")
        )
        return [values.word_select(lane, bits) for lane in range(core.pipelines)]
