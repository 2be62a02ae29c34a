"""Bytes out of a serial flash. No twin in golden, which has no wires."""

from amaranth import C, Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from spikelet.description.checks import check_int

__all__ = ["FlashReader"]

_RELEASE, _READ = 0xAB, 0x03
"""Commands: out of power-down, and read from an address of 3 bytes on."""

_RELEASE_S = 50e-6
"""From the first command on the flash takes no other: 3 us in a W25Q128JV, 35 us in a MX25R."""

_DESELECTED_S = 100e-9
"""Between two commands, at least: 50 ns in a W25Q128JV."""

_FASTEST_HZ = 20_000_000
"""The read command goes to 50 MHz and pins take time, too: half a cycle is 25 ns or more."""


class FlashReader(wiring.Component):
    """Reads a serial NOR flash from an address on, in SPI mode 0, byte after byte.

    An FPGA may leave its flash in power-down after configuration, so that is ended first.

    Timing: a bit takes ``2 * half`` clock cycles, so a byte leaves every ``16 * half``; ``sck``
    waits while ``o`` does. Before the first byte 32 bits go out; after a reset 8 more, and 50 us
    pass.
    Reset: ends the command under way; begins with the release from power-down, and reads nothing
    until ``start``.

    Parameters
    ----------
    offset : int
        Address of the first byte, 0..0xffffff.
    clock_hz : int
        Of the clock, in Hz. ``half`` follows: the flash's clock is 20 MHz at most.

    Members
    -------
    start : ``In(1)``
        Begin, or begin again: what is under way is dropped, also a byte at ``o``. Kept if it comes
        before the flash is out of power-down.
    o : ``Out(stream of 8)``
    cs_n, sck, mosi : ``Out(1)``
        ``cs_n`` is 0 while the flash is selected.
    miso : ``In(1)``
        Of the flash, which changes it after ``sck`` has fallen.

    Attributes
    ----------
    half : int
    """

    def __init__(self, offset: int, clock_hz: int) -> None:
        check_int("flash reader: offset", offset, 0, 0xFFFFFF)
        check_int("flash reader: clock_hz", clock_hz, 1, (1 << 32) - 1)
        self.offset = offset
        self.clock_hz = clock_hz
        self.half = -(-clock_hz // (2 * _FASTEST_HZ))
        super().__init__(
            {
                "start": In(1),
                "o": Out(stream.Signature(8)),
                "cs_n": Out(1, init=1),
                "sck": Out(1),
                "mosi": Out(1),
                "miso": In(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        release = int(_RELEASE_S * self.clock_hz) + 1
        deselected = int(_DESELECTED_S * self.clock_hz) + 1
        left = Signal(range(release + 1))  # of half a bit, or of a pause
        bits = Signal(range(32))  # still to be sent, or of a byte, without the one under way
        out, byte = Signal(32), Signal(8)
        wanted, reading, awake = Signal(), Signal(), Signal()
        waits = self.o.valid & ~self.o.ready  # the bits of `byte` are still to be taken
        m.d.comb += [self.o.payload.eq(byte), self.mosi.eq(out[-1])]
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.If(left != 0):
            m.d.sync += left.eq(left - 1)
        with m.FSM():
            with m.State("DESELECTED"):
                with m.If((left == 0) & (wanted | ~awake)):
                    m.d.sync += [self.cs_n.eq(0), reading.eq(0), wanted.eq(wanted & ~awake)]
                    m.d.sync += [bits.eq(Mux(awake, 31, 7)), left.eq(self.half - 1)]
                    m.d.sync += out.eq(Mux(awake, (_READ << 24) | self.offset, _RELEASE << 24))
                    m.next = "LOW"
            with m.State("LOW"):
                with m.If(wanted & awake):
                    m.next = "END"
                with m.Elif((left == 0) & ~waits):
                    m.d.sync += [self.sck.eq(1), byte.eq(Cat(self.miso, byte))]
                    m.d.sync += left.eq(self.half - 1)
                    m.d.sync += self.o.valid.eq(reading & (bits == 0))
                    m.next = "HIGH"
            with m.State("HIGH"):
                with m.If(left == 0):
                    m.d.sync += [self.sck.eq(0), left.eq(self.half - 1)]
                    m.d.sync += [out.eq(Cat(C(0, 1), out)), bits.eq(bits - 1)]
                    m.next = "LOW"
                    with m.If(bits == 0):
                        m.d.sync += [bits.eq(7), reading.eq(1)]
                        with m.If(~awake):
                            m.next = "END"
            with m.State("END"):
                m.d.sync += [self.cs_n.eq(1), self.o.valid.eq(0), awake.eq(1)]
                m.d.sync += left.eq(Mux(awake, deselected, release))
                m.next = "DESELECTED"
        with m.If(self.start):
            m.d.sync += [wanted.eq(1), self.o.valid.eq(0)]
        return m
