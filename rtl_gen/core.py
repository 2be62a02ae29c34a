"""A core: axon bitmap, crossbar, neurons and emission. Twin of ``golden/core.py``."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from rtl_gen.axon_bitmap import AxonBitmap
from rtl_gen.config_chain import ConfigLink, ConfigNode
from rtl_gen.crossbar import Crossbar
from rtl_gen.emission import Emission
from rtl_gen.layouts import CONFIG_LATENCY, delayed, flit_stream
from rtl_gen.neuron_array import NeuronArray
from spikelet.description.memory_map import COUNTERS, ChipMap
from spikelet.description.packets import destination_packet, flit_packet
from spikelet.description.params import ChipParams

__all__ = ["Core"]


class Core(wiring.Component):
    """One core of a chip.

    Timing: a tick takes the scan and the crossbar's passes (see :class:`Crossbar`), then the last
    group's update and the emission. Clearing takes as many cycles as the larger of the neuron
    memory's rows and the axon bitmap's words.
    Reset: stops; does not clear the memories.

    Parameters
    ----------
    chip : ChipParams
    number : int
        Which core of the chip this is.

    Members
    -------
    start : ``In(1)``
        Begin a tick; not while ``busy``.
    clear : ``In(1)``
        Clear potentials, arrivals and counters; not while ``busy``.
    busy : ``Out(1)``
        Working on a tick, an arrival, or a clear.
    event_in : ``In(stream of flit)``
        Spikes for this core's axons.
    event_out : ``Out(stream of flit)``
        Spikes of this core's neurons.
    config_in : ``In(ConfigLink(...))``
    config_out : ``Out(ConfigLink(...))``
        The configuration chain, while not ``busy``.
    """

    def __init__(self, chip: ChipParams, number: int) -> None:
        self.core = chip.cores[number]
        self.chip = chip
        self.number = number
        self.map = ChipMap(chip)
        flit = flit_stream(flit_packet(chip))
        super().__init__(
            {
                "start": In(1),
                "clear": In(1),
                "busy": Out(1),
                "event_in": In(flit),
                "event_out": Out(flit),
                "config_in": In(ConfigLink(self.map.address_bits)),
                "config_out": Out(ConfigLink(self.map.address_bits)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        core = self.core
        regions = self.map.cores[self.number]
        m.submodules.config = config = ConfigNode(
            window=1 + self.number,
            window_words=self.map.window,
            address_bits=self.map.address_bits,
            regions=regions,
        )
        m.submodules.bitmap = bitmap = AxonBitmap(core)
        m.submodules.crossbar = crossbar = Crossbar(core, regions["weights"])
        m.submodules.neurons = neurons = NeuronArray(core, regions)
        m.submodules.emission = emission = Emission(
            core,
            regions["destinations"],
            flit=flit_packet(self.chip),
            destination=destination_packet(self.chip),
        )

        connect(m, flipped(self.config_in), config.i)
        connect(m, config.o, flipped(self.config_out))
        connect(m, config.weights, crossbar.config)
        connect(m, config.destinations, emission.config)
        for name in ("state", *neurons.parameters):
            connect(m, getattr(config, name), getattr(neurons, name))
        connect(m, emission.flit, flipped(self.event_out))

        for part in (bitmap, crossbar, neurons, emission):
            m.d.comb += part.start.eq(self.start)
        for part in (bitmap, neurons):
            m.d.comb += part.clear.eq(self.clear)
        m.d.comb += [
            bitmap.arrival.valid.eq(self.event_in.valid),
            bitmap.arrival.p.axon.eq(self.event_in.p.axon),
            bitmap.arrival.p.delay.eq(self.event_in.p.delay),
            self.event_in.ready.eq(bitmap.arrival.ready),
            crossbar.axon_valid.eq(bitmap.axon_valid),
            crossbar.axon.eq(bitmap.axon),
            crossbar.scanning.eq(bitmap.scanning),
            neurons.sums_valid.eq(crossbar.sums_valid),
            neurons.sums.eq(crossbar.sums),
            neurons.update.eq(self._updating(m)),
            emission.fired_valid.eq(neurons.fired_valid),
            emission.fired.eq(neurons.fired),
            self.busy.eq(bitmap.busy | crossbar.busy | neurons.busy | emission.busy),
        ]
        self._count(m, config, (bitmap.axon_valid, bitmap.merged))
        return m

    def _updating(self, m: Module) -> Value:
        """Return whether the core's first tick has come."""
        first = self.core.first_tick
        if first == 0:
            return C(1)
        started = Signal(range(first + 2))
        with m.If(self.clear):
            m.d.sync += started.eq(0)
        with m.Elif(self.start & (started <= first)):
            m.d.sync += started.eq(started + 1)
        return started > first

    def _count(self, m: Module, config: ConfigNode, strobes: tuple[Value, ...]) -> None:
        """Build the counters and give them to the configuration port."""
        counters = [Signal(32, name=name) for name in COUNTERS]
        for counter, undelayed in zip(counters, strobes, strict=True):
            strobe = delayed(m, undelayed, 1, name=f"{counter.name}_strobe")
            with m.If(self.clear):
                m.d.sync += counter.eq(0)
            with m.Elif(strobe):
                m.d.sync += counter.eq(counter + 1)
        port = config.counters
        offset = delayed(m, port.offset, CONFIG_LATENCY - 1, name="counter")
        m.d.sync += port.read_data.eq(Mux(offset, counters[1], counters[0]))
