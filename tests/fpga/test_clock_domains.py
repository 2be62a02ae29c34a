"""Clocks and crossings of small designs."""

import pytest
from amaranth.hdl import ClockDomain, ClockSignal, Instance, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from spikelet.fpga.clock_domains import Clocking, Crossing, clocking
from spikelet.rtl_gen.emit import to_verilog


class Crossed(wiring.Component):
    """A register of clock ``a`` that one of clock ``b`` takes, through what ``how`` says."""

    a: In(1)
    b: In(1)
    pin: In(1)
    out: Out(1)

    def __init__(self, how: str) -> None:
        self.how = how
        super().__init__()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        for name in ("a", "b"):
            domain = ClockDomain(name, reset_less=True, local=True)
            m.domains += domain
            m.d.comb += ClockSignal(name).eq(getattr(self, name))
        sent, taken = Signal(), Signal()
        m.d.a += sent.eq(~sent)
        if self.how == "synchroniser":
            m.submodules.sync = FFSynchronizer(sent, taken, o_domain="b")
            m.d.b += self.out.eq(taken)
        elif self.how == "memory":
            m.submodules.memory = memory = Memory(shape=1, depth=2, init=[])
            write, read = memory.write_port(domain="a"), memory.read_port(domain="b")
            m.d.comb += [write.en.eq(1), write.data.eq(sent), self.out.eq(read.data)]
        elif self.how == "pin":
            m.d.b += self.out.eq(self.pin ^ self.out)
        elif self.how == "instance":
            locked = Signal()
            m.submodules.pll = Instance("PLL", i_A=self.a, o_LOCK=locked)
            m.d.b += self.out.eq(locked)
        else:
            m.d.b += self.out.eq(sent & ~self.out)
        return m


def analysed(how: str) -> Clocking:
    return clocking(to_verilog(Crossed(how), "top"), "top")


def test_a_register_that_another_clock_takes_is_a_crossing() -> None:
    """Through logic, without a synchroniser: one flip-flop."""
    found = analysed("logic")
    assert found.clocks == {"a": 1, "b": 1}
    assert found.crossings == (Crossing("a", "out", 1),)
    assert found.unsynchronised == found.crossings
    assert Clocking.from_dict(found.to_dict()) == found


def test_a_synchroniser_is_counted_in_flip_flops() -> None:
    (crossing,) = analysed("synchroniser").crossings
    assert (crossing.source, crossing.stages) == ("a", 3)
    assert "stage0" in crossing.register
    assert not analysed("synchroniser").unsynchronised


@pytest.mark.parametrize(
    ("how", "source"), [("memory", "a"), ("pin", "pin"), ("instance", "pll.LOCK")]
)
def test_memories_and_pins_cross_too(how: str, source: str) -> None:
    """A memory that one clock writes and another reads; a pin or a PLL's output without a clock."""
    found = analysed(how)
    assert [crossing.source for crossing in found.crossings] == [source]
    assert found.unsynchronised == found.crossings
