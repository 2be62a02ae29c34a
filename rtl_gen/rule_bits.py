"""A bit of each axon that a learning rule reads. No twin in golden: it is an array there."""

from amaranth import Module, Mux
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.memory_map import Region
from spikelet.rtl_gen.banked_memory import BankedMemory
from spikelet.rtl_gen.layouts import CONFIG_LATENCY, RegionPort, delayed
from spikelet.rtl_gen.pre_traces import PreTraces

__all__ = ["RuleBits"]


class RuleBits(wiring.Component):
    """Words of ``scan_bits`` bits, looked up by axon.

    No bench of its own: ``sim/bench_learning.py`` sees what each axon learns by it.

    Timing: ``bit`` comes as many cycles after ``axon`` as the traces do.
    Reset: does not clear the memory.

    Parameters
    ----------
    core : CoreParams
    region : Region
        Of the bits in the memory map.

    Members
    -------
    axon : ``In(range(n_axons))``
    bit : ``Out(1)``
    config : ``In(RegionPort(...))``
        Configuration access, while nothing is looked up.
    """

    def __init__(self, core: CoreParams, region: Region) -> None:
        self.core = core
        super().__init__(
            {
                "axon": In(range(core.n_axons)),
                "bit": Out(1),
                "config": In(RegionPort((region.span - 1).bit_length(), region.bits)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        core, config = self.core, self.config
        index_bits = (core.scan_bits - 1).bit_length()
        m.submodules.memory = memory = BankedMemory(
            depth=core.scan_words, banks=1, bank_bits=core.scan_bits
        )
        index = delayed(m, self.axon[:index_bits], 1, name="index")
        bit = memory.read_data.bit_select(index, 1)
        m.d.comb += [
            memory.read_row.eq(Mux(config.read, config.offset, self.axon[index_bits:])),
            memory.read_enable.eq(1),
            memory.write_row.eq(config.offset),
            memory.write_data.eq(config.data),
            memory.write_banks.eq(config.write),
            config.read_data.eq(
                delayed(m, memory.read_data, CONFIG_LATENCY - 1, name="rule_bits_word")
            ),
            self.bit.eq(delayed(m, bit, PreTraces.latency - 1, name="bit")),
        ]
        return m
