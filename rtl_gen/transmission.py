"""Stochastic transmission of axons: a draw a row. Twin of ``golden/transmission.py``."""

from amaranth import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.memory_map import Region
from spikelet.description.chip.transmission import TRANSMISSION_BITS
from spikelet.rtl_gen.banked_memory import BankedMemory
from spikelet.rtl_gen.draws import key_registers
from spikelet.rtl_gen.layouts import CONFIG_LATENCY, RegionPort, delayed
from spikelet.rtl_gen.lfsr import STATE_BITS, next_draw
from spikelet.rtl_gen.synapse_memory import SynapseMemory

__all__ = ["Transmission"]

_LOOKED_UP = 2
"""Cycles from the axon whose row is read until its chance to fail is there, and its draw."""

_GROUP_ENDED = 4
"""Cycles from the end of a group: the last draw for it has been taken, none for the next yet."""


class Transmission(wiring.Component):
    """An LFSR, from which each row that is read for an active axon has a draw.

    Each group of neurons reads the rows of the same axons, in ascending order, so the LFSR starts
    again with the tick's key before each: all groups see the same draws, and nothing of a draw is
    kept.

    No bench of its own: ``sim/bench_core.py`` runs it in its core, whose sums it thins out, and
    ``sim/bench_learning.py`` in plastic ones.

    Timing: ``passed`` comes as many cycles after ``axon`` as weights after their row's.
    Reset: the key becomes 0, which the image's replaces; does not clear the memory.

    Parameters
    ----------
    core : CoreParams
    regions : dict of Region
        Of the core, by name.

    Members
    -------
    start : ``In(1)``
        A tick begins.
    clear : ``In(1)``
        Begin with the image's key again.
    settled : ``In(1)``
        Scan and sums of the tick are done.
    axon : ``In(range(n_axons))``, reading : ``In(1)``
        Active axon whose row is being read.
    group_end : ``In(1)``
        The rows of a group have all been named.
    passed : ``Out(1)``
        The row is to be added.
    busy : ``Out(1)``
    transmission, transmission_key : ``In(RegionPort(...))``
        Configuration access, while not ``busy``: chances to fail; the key at ``clear``, which sets
        both, and the key of the coming tick.
    """

    def __init__(self, core: CoreParams, regions: dict[str, Region]) -> None:
        self.core = core
        super().__init__(
            {
                "start": In(1),
                "clear": In(1),
                "settled": In(1),
                "axon": In(range(core.n_axons)),
                "reading": In(1),
                "group_end": In(1),
                "passed": Out(1),
                "busy": Out(1),
                **{
                    name: In(RegionPort((regions[name].span - 1).bit_length(), regions[name].bits))
                    for name in ("transmission", "transmission_key")
                },
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        waiting = Signal()
        with m.If(self.start):
            m.d.sync += waiting.eq(1)
        with m.Elif(self.settled):
            m.d.sync += waiting.eq(0)
        key = key_registers(m, self.transmission_key, self.clear, waiting & self.settled)

        draws, following = next_draw(state := Signal(STATE_BITS, name="lfsr"))
        ended = delayed(m, self.group_end, _GROUP_ENDED, name="group_ended")
        drawn = delayed(m, self.reading, _LOOKED_UP, name="drawn")
        with m.If(self.start | ended):
            m.d.sync += state.eq(key)
        with m.Elif(drawn):
            m.d.sync += state.eq(following)

        config = self.transmission
        m.submodules.memory = memory = BankedMemory(
            depth=self.core.n_axons, banks=1, bank_bits=TRANSMISSION_BITS
        )
        looked_up = delayed(m, self.axon, _LOOKED_UP - 1, name="looked_up")
        m.d.comb += [
            memory.read_row.eq(Mux(config.read, config.offset, looked_up)),
            memory.read_enable.eq(1),
            memory.write_row.eq(config.offset),
            memory.write_data.eq(config.data),
            memory.write_banks.eq(config.write),
            config.read_data.eq(
                delayed(m, memory.read_data, CONFIG_LATENCY - 1, name="transmission_word")
            ),
            self.passed.eq(
                delayed(
                    m,
                    draws[-TRANSMISSION_BITS:] >= memory.read_data,
                    SynapseMemory.latency - _LOOKED_UP,
                    name="passed",
                )
            ),
            self.busy.eq(waiting),
        ]
        return m
