"""A core: axon bitmap, crossbar, neurons and emission. Twin of ``golden/core.py``."""

from dataclasses import replace
from typing import Any

from amaranth import Array, C, Cat, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from spikelet.description.chip.memory_map import COUNTERS, TICK_BITS, ChipMap
from spikelet.description.chip.packets import destination_packet, flit_packet
from spikelet.description.chip.params import ChipParams
from spikelet.description.chip.teacher import error_bits
from spikelet.rtl_gen.axon_bitmap import AxonBitmap
from spikelet.rtl_gen.config_chain import ConfigLink, ConfigNode
from spikelet.rtl_gen.elaborate import Shared
from spikelet.rtl_gen.emission import Emission
from spikelet.rtl_gen.layouts import CONFIG_LATENCY, delayed, flit_stream
from spikelet.rtl_gen.learning import Learning
from spikelet.rtl_gen.neuron_array import NeuronArray
from spikelet.rtl_gen.short_term import ShortTerm
from spikelet.rtl_gen.synapses.crossbars import crossbar as crossbar_of
from spikelet.rtl_gen.transmission import Transmission

__all__ = ["Core"]


class Core(wiring.Component):
    """One core of a chip.

    Timing: a tick takes the scan and the crossbar's passes (see its crossbar), then the last
    group's update and the emission. Clearing takes as many cycles as the larger of the neuron
    memory's rows and the axon bitmap's words.
    Reset: stops; does not clear the memories.

    Parameters
    ----------
    chip : ChipParams
    number : int
        Which core of the chip this is.
    told : bool
        Whether it is told its place in the chip by ports instead of having it built in: then cores
        that differ in nothing else are the same module.
    chip_map : ChipMap or None
        That of the chip, if it is at hand.

    Members
    -------
    start : ``In(1)``
        Begin a tick; not while ``busy``.
    clear : ``In(1)``
        Clear potentials, arrivals and counters; not while ``busy``.
    busy : ``Out(1)``
        Working on a tick, an arrival, or a clear.
    dropped : ``Out(1)``
        Strobe: a packet for an axon or delay that this core does not have has been dropped.
    event_in : ``In(stream of flit)``
        Spikes for this core's axons.
    event_out : ``Out(stream of flit)``
        Spikes of this core's neurons.
    config_in : ``In(ConfigLink(...))``
    config_out : ``Out(ConfigLink(...))``
        The configuration chain, while not ``busy``.
    window : ``In(address_bits)``
        Which window of the address space is this core's, 1 + ``number``; only if ``told``.
    first_tick : ``In(TICK_BITS)``
        That of the core's parameters; only if ``told``, and if it is not 0.
    """

    def __init__(
        self,
        chip: ChipParams,
        number: int,
        *,
        told: bool = False,
        chip_map: ChipMap | None = None,
    ) -> None:
        self.core = chip.cores[number]
        self.chip = chip
        self.number = number
        self.map = chip_map or ChipMap(chip)
        self.told = told
        flit = flit_stream(flit_packet(chip))
        places = {"window": In(self.map.address_bits)}
        places |= {"first_tick": In(TICK_BITS)} if self.core.first_tick else {}
        super().__init__(
            {
                "start": In(1),
                "clear": In(1),
                "busy": Out(1),
                "dropped": Out(1),
                "event_in": In(flit),
                "event_out": Out(flit),
                "config_in": In(ConfigLink(self.map.address_bits)),
                "config_out": Out(ConfigLink(self.map.address_bits)),
                **(places if told else {}),
            }
        )

    @property
    def place(self) -> dict[str, int]:
        """What a core that is ``told`` has at its ports of these names, as long as it runs."""
        first = {"first_tick": self.core.first_tick} if self.core.first_tick else {}
        return {"window": 1 + self.number, **first}

    @property
    def shared(self) -> Shared:
        """This core, ``told``, as one module with all that are equal to it."""
        core = replace(self.core, first_tick=int(self.core.first_tick > 0))
        regions = tuple(self.map.cores[self.number].items())
        flit, destination = flit_packet(self.chip), destination_packet(self.chip, self.core)
        window = self.map.address_bits, self.map.window
        return Shared(self, (core, regions, flit, destination, window, self.chip.registered_links))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        core = self.core
        regions = self.map.cores[self.number]
        m.submodules.config = config = ConfigNode(
            window=getattr(self, "window", 1 + self.number),
            window_words=self.map.window,
            address_bits=self.map.address_bits,
            regions=regions,
        )
        m.submodules.bitmap = bitmap = AxonBitmap(
            *(core, regions["arrivals"], flit_packet(self.chip)),
            forwards=self.chip.registered_links,
        )
        m.submodules.crossbar = crossbar = crossbar_of(core, regions)
        m.submodules.neurons = neurons = NeuronArray(core, regions)
        m.submodules.emission = emission = Emission(
            core,
            regions["destinations"],
            flit=flit_packet(self.chip),
            destination=destination_packet(self.chip, core),
        )

        connect(m, flipped(self.config_in), config.i)
        connect(m, config.o, flipped(self.config_out))
        for region in core.synapse_format.regions(core):
            connect(m, getattr(config, region.name), getattr(crossbar, region.name))
        connect(m, config.destinations, emission.config)
        connect(m, config.arrivals, bitmap.config)
        for name in neurons.ports:
            connect(m, getattr(config, name), getattr(neurons, name))
        connect(m, flipped(self.event_in), bitmap.arrival)
        connect(m, emission.flit, flipped(self.event_out))

        tick = self._tick(m, config.tick)
        updating = Signal()
        with m.If(self.start):
            first_tick = getattr(self, "first_tick", core.first_tick)
            m.d.sync += updating.eq(tick >= first_tick if core.first_tick else 1)
        learning_busy = self._learn(m, config, tick, bitmap, crossbar, neurons)
        beside = [
            self._scale(m, config, bitmap, crossbar),
            self._transmit(m, config, bitmap, crossbar),
        ]
        busy = bitmap.busy | crossbar.busy | neurons.busy | emission.busy | learning_busy
        for part_busy in beside:
            busy = busy if part_busy is None else busy | part_busy
        parts = (bitmap, crossbar, neurons, emission)
        for part in parts:
            m.d.comb += part.start.eq(self.start)
        for part in (bitmap, neurons, *([crossbar] if core.synapse_draws else [])):
            m.d.comb += part.clear.eq(self.clear)
        m.d.comb += [
            crossbar.axon_valid.eq(bitmap.axon_valid & bitmap.ready),
            crossbar.axon.eq(bitmap.axon),
            crossbar.scanning.eq(bitmap.scanning),
            *self._repeats(bitmap, crossbar),
            neurons.sums_valid.eq(crossbar.sums_valid),
            neurons.sums.eq(crossbar.sums),
            *([neurons.teacher_sums.eq(crossbar.teacher_sums)] if core.teacher_axons else []),
            bitmap.slot.eq(tick),
            self.dropped.eq(bitmap.dropped),
            neurons.update.eq(updating),
            emission.fired_valid.eq(neurons.fired_valid),
            emission.fired.eq(neurons.fired),
            self.busy.eq(busy),
        ]
        if core.inhibition_axon:
            told = crossbar.axon_valid & (bitmap.axon == core.n_axons - 1)
            m.d.comb += neurons.others_fired.eq(told)
        if core.rests:
            m.d.comb += [
                neurons.axon_valid.eq(bitmap.axon_valid),
                crossbar.quiet.eq(neurons.quiet),
            ]
        if core.synapse_format.takes_words:
            m.d.comb += [
                crossbar.word_valid.eq(bitmap.word_valid),
                crossbar.word.eq(bitmap.word),
                crossbar.word_data.eq(bitmap.word_data),
            ]
        strobes = {
            "active_axons": crossbar.axon_valid,
            "merged_spikes": bitmap.merged,
            "dropped_packets": bitmap.dropped,
        }
        self._count(m, config, strobes)
        return m

    def _learn(
        self,
        m: Module,
        config: ConfigNode,
        tick: Signal,
        bitmap: AxonBitmap,
        crossbar: Any,
        neurons: NeuronArray,
    ) -> Value:
        """Build the learning engine of a plastic core; return whether it is busy."""
        if self.core.learning is None:
            holds = self.core.synapse_format.holds_scan
            m.d.comb += bitmap.ready.eq(crossbar.ready if holds else 1)
            return C(0)
        m.submodules.learning = learning = Learning(
            self.core, self.map.cores[self.number], update_latency=neurons.latency
        )
        for name in learning.names:
            connect(m, getattr(config, name), getattr(learning, name))
        connect(m, crossbar.learning, learning.crossbar)
        m.d.comb += [
            learning.start.eq(self.start),
            learning.clear.eq(self.clear),
            learning.tick.eq(tick),
            learning.word_valid.eq(bitmap.word_valid),
            learning.word.eq(bitmap.word),
            learning.word_data.eq(bitmap.word_data),
            learning.settled.eq(~(bitmap.scanning | crossbar.busy | neurons.busy)),
            learning.sums_valid.eq(crossbar.sums_valid),
            learning.fired_valid.eq(neurons.fired_valid),
            learning.fired.eq(neurons.fired),
            learning.potentials.eq(neurons.potentials),
            neurons.learning.eq(learning.enabled),
            *([learning.errors.eq(neurons.errors)] if error_bits(self.core.learning) else []),
            bitmap.ready.eq(learning.scan_ready),
        ]
        return learning.busy

    def _scale(
        self, m: Module, config: ConfigNode, bitmap: AxonBitmap, crossbar: Any
    ) -> Value | None:
        """Build short-term plasticity, if the core has it; return whether it is busy."""
        if self.core.short_term is None:
            return None
        region = self.map.cores[self.number]["short_term"]
        m.submodules.short_term = short_term = ShortTerm(self.core, region)
        connect(m, config.short_term, short_term.config)
        m.d.comb += [
            short_term.start.eq(self.start),
            short_term.clear.eq(self.clear),
            short_term.settled.eq(~(bitmap.scanning | crossbar.busy)),
            short_term.word_valid.eq(bitmap.word_valid),
            short_term.word.eq(bitmap.word),
            short_term.word_data.eq(bitmap.word_data),
            short_term.axon.eq(crossbar.scaled_axon),
            crossbar.amplitude.eq(short_term.amplitude),
        ]
        return short_term.busy

    def _transmit(
        self, m: Module, config: ConfigNode, bitmap: AxonBitmap, crossbar: Any
    ) -> Value | None:
        """Build stochastic transmission, if the core has it; return whether it is busy."""
        if not self.core.transmission:
            return None
        regions = self.map.cores[self.number]
        m.submodules.transmission = transmission = Transmission(self.core, regions)
        for name in ("transmission", "transmission_key"):
            connect(m, getattr(config, name), getattr(transmission, name))
        m.d.comb += [
            transmission.start.eq(self.start),
            transmission.clear.eq(self.clear),
            transmission.settled.eq(~(bitmap.scanning | crossbar.busy)),
            transmission.axon.eq(crossbar.scaled_axon),
            transmission.reading.eq(crossbar.row_read),
            transmission.group_end.eq(crossbar.group_ended),
            crossbar.passed.eq(transmission.passed),
        ]
        return transmission.busy

    def _repeats(self, bitmap: AxonBitmap, crossbar: Any) -> list[Any]:
        """Connect what says how often an axon comes."""
        if self.core.spike_bits == 1:
            return []
        return [crossbar.again.eq(bitmap.again), crossbar.count.eq(bitmap.count)]

    def _tick(self, m: Module, port: wiring.PureInterface) -> Signal:
        """Build the number of the coming tick, whose highest bit stays once it is set."""
        tick = Signal(TICK_BITS)
        with m.If(self.clear):
            m.d.sync += tick.eq(0)
        with m.Elif(self.start):
            m.d.sync += tick.eq(Cat((tick + 1)[: TICK_BITS - 1], (tick + 1)[TICK_BITS - 1 :].any()))
        with m.Elif(port.write):
            m.d.sync += tick.eq(port.data)
        m.d.comb += port.read_data.eq(delayed(m, tick, CONFIG_LATENCY - 1, name="tick_word"))
        return tick

    def _count(self, m: Module, config: ConfigNode, strobes: dict[str, Value]) -> None:
        """Build the counters and give them to the configuration port."""
        counters = [Signal(32, name=name) for name in COUNTERS]
        for name, counter in zip(COUNTERS, counters, strict=True):
            strobe = delayed(m, strobes[name], 1, name=f"{name}_strobe")
            with m.If(self.clear):
                m.d.sync += counter.eq(0)
            if len(strobe) > 1:  # how much is to be counted
                with m.Else():
                    m.d.sync += counter.eq(counter + strobe)
                continue
            with m.Elif(strobe):
                m.d.sync += counter.eq(counter + 1)
        port = config.counters
        offset = delayed(m, port.offset, CONFIG_LATENCY - 1, name="counter")
        m.d.sync += port.read_data.eq(Array(counters)[offset])
