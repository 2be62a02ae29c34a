"""A chip's program out of the bytes of a flash. Twin of ``golden/flash_loader.py``."""

from amaranth import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from spikelet.description.checks import check_int
from spikelet.description.chip.flash_image import LENGTH_BITS, MAGIC
from spikelet.rtl_gen.frame_receiver import CRC32
from spikelet.rtl_gen.layouts import config_request

__all__ = ["FlashLoader"]


class FlashLoader(wiring.Component):
    """Checks a flash image, then reads it once more and writes its words into a chip.

    Nothing is written of an image that has another magic word or structure, is longer than a flash,
    or whose CRC is wrong. One that only the second time is wrong has been written, and fails.

    Timing: a byte is taken every 9 clock cycles at most, and not while ``request`` waits.
    Reset: begins again.

    Parameters
    ----------
    structure : int
        First 32 bits of ``ChipParams.digest``.

    Members
    -------
    i : ``In(stream of 8)``
        The image from its first byte on, after each ``start``; what follows it is not looked at.
    start : ``Out(1)``
        Begin, or begin again, with the first byte; high for one cycle.
    request : ``Out(config_request(32))``
        Writes.
    done, failed : ``Out(1)``
        Loaded; the image is of no use. One of both, until a reset.
    """

    def __init__(self, structure: int) -> None:
        check_int("flash loader: structure", structure, 0, (1 << 32) - 1)
        self.structure = structure
        super().__init__(
            {
                "i": In(stream.Signature(8)),
                "start": Out(1),
                "request": Out(config_request(32)),
                "done": Out(1),
                "failed": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.crc = check = CRC32(data_width=1).create()
        left = Signal(range(9))  # bits of the byte that the check takes
        shift, word, place = Signal(8), Signal(32), Signal(2)
        whole, taken = Signal(), Signal()  # a word, and that it is not needed any more
        words, count = Signal(LENGTH_BITS), Signal(LENGTH_BITS)  # still to come: in all, of a run
        address, loading = Signal(32), Signal()
        accepts = self.i.valid & self.i.ready
        closed = self.start | self.done | self.failed
        m.d.comb += [
            self.i.ready.eq((left == 0) & (~whole | taken) & ~closed),
            check.valid.eq(left != 0),
            check.data.eq(shift),
            check.start.eq(self.start),
            self.request.p.address.eq(address),
            self.request.p.data.eq(word),
            self.request.p.write.eq(1),
        ]
        with m.If(left != 0):
            m.d.sync += [left.eq(left - 1), shift.eq(shift >> 1)]
        with m.If(taken):
            m.d.sync += whole.eq(0)
        with m.If(accepts):
            m.d.sync += [left.eq(8), shift.eq(self.i.payload), place.eq(place + 1)]
            m.d.sync += [word.eq(Cat(word[8:], self.i.payload)), whole.eq(place == 3)]
        with m.FSM():
            with m.State("START"):
                m.d.comb += self.start.eq(1)
                m.d.sync += place.eq(0)
                m.next = "MAGIC"
            with m.State("MAGIC"), m.If(whole):
                m.d.comb += taken.eq(1)
                m.next = "STRUCTURE"
                with m.If(word != MAGIC):
                    m.next = "FAILED"
            with m.State("STRUCTURE"), m.If(whole):
                m.d.comb += taken.eq(1)
                m.next = "LENGTH"
                with m.If(word != self.structure):
                    m.next = "FAILED"
            with m.State("LENGTH"), m.If(whole):
                m.d.comb += taken.eq(1)
                m.d.sync += words.eq(word)
                m.next = "ADDRESS"
                with m.If(word[LENGTH_BITS:] != 0):
                    m.next = "FAILED"
            with m.State("ADDRESS"):
                with m.If(words == 0):
                    m.next = "CHECK"
                with m.Elif(whole):
                    m.d.comb += taken.eq(1)
                    m.d.sync += [address.eq(word), words.eq(words - 1)]
                    m.next = "COUNT"
            with m.State("COUNT"):
                with m.If(words == 0):
                    m.next = "CHECK"
                with m.Elif(whole):
                    m.d.comb += taken.eq(1)
                    m.d.sync += [count.eq(word), words.eq(words - 1)]
                    m.next = "DATA"
            with m.State("DATA"):
                with m.If(words == 0):
                    m.next = "CHECK"
                with m.Elif(whole):
                    m.d.comb += self.request.valid.eq(loading)
                    m.d.comb += taken.eq(~loading | self.request.ready)
                    with m.If(taken):
                        m.d.sync += [address.eq(address + 1), words.eq(words - 1)]
                        m.d.sync += count.eq(count - 1)
                        with m.If(count == 1):
                            m.next = "ADDRESS"
            with m.State("CHECK"), m.If(whole & (left == 0)):
                m.d.sync += [whole.eq(0), loading.eq(1)]  # takes no byte behind the image
                m.next = "FAILED"
                with m.If(check.match_detected):
                    m.next = "START"
                    with m.If(loading):
                        m.next = "DONE"
            with m.State("DONE"):
                m.d.comb += self.done.eq(1)
            with m.State("FAILED"):
                m.d.comb += self.failed.eq(1)
        return m
