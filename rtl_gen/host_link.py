"""The chip's end of the link to its host. Twin of ``golden/host_link.py``."""

from amaranth import Array, C, Cat, Module, Mux, ResetInserter, Signal, Value
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from spikelet.description.chip.host_link import (
    AGAIN,
    CRC_BYTES,
    OFFSET_BITS,
    OPEN,
    REFUSED,
    REPLY_HEADER,
    REQUEST_HEADER,
    RESET,
    VERSION,
    LinkParams,
)
from spikelet.rtl_gen.frame_receiver import FrameReceiver
from spikelet.rtl_gen.frame_transmitter import FrameTransmitter
from spikelet.rtl_gen.host_commands import HostCommands, chip_side

__all__ = ["HostLink"]


class HostLink(wiring.Component):
    """Two streams of bytes in frames, one to the chip and one back, of which no byte is lost.

    A frame carries the offset in its stream of its first byte, and the offset up to which its
    sender has received the other stream. What has come in order, in a frame that is whole, is
    executed; all else is dropped. What leaves is kept until the host has it, and sent again when it
    asks. So the chip has no timer, and waits for the host as long as it must.

    Timing: a reply leaves when there is something to say and no other is under way.
    Reset: ends the connection.

    Parameters
    ----------
    params : LinkParams

    Members
    -------
    rx, tx : ``In(stream of 8)``, ``Out(stream of 8)``
        The line. Bytes come 9 clock cycles apart or more, if their sender does not look at
        ``rx.ready``.
    reset : ``Out(1)``
        The chip is to be reset; high for one cycle.
    heard : ``Out(1)``
        A frame of this connection has come, or one that opens another; high for one cycle.
    watchdog : ``Out(16)``
        As :class:`HostCommands` has it.
    abandon : ``In(1)``
        Gives the connection up, and resets the chip: the host is told that its connection is not
        this one, now and whenever it comes back. A frame that ends in this cycle is lost, unless it
        opens a connection.
    event_in, event_out, config_request, config_response, start, clear, busy
        To the chip's ports of these names.
    """

    def __init__(self, params: LinkParams) -> None:
        self.params = params
        super().__init__(
            {
                "rx": In(stream.Signature(8)),
                "tx": Out(stream.Signature(8)),
                "reset": Out(1),
                "heard": Out(1),
                "watchdog": Out(16),
                "abandon": In(1),
                **chip_side(params),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        opens = Signal()
        commands = HostCommands(self.params)
        m.d.comb += self.watchdog.eq(commands.watchdog)
        m.submodules.commands = ResetInserter(opens)(commands)
        for name in chip_side(self.params):
            member = commands.signature.members[name]
            if member.is_port:
                mine, theirs = getattr(self, name), getattr(commands, name)
                m.d.comb += mine.eq(theirs) if member.flow is Out else theirs.eq(mine)
            else:
                connect(m, flipped(getattr(self, name)), getattr(commands, name))
        received = _Receiving(self, m, commands, opens)
        _sending(self, m, commands, received)
        return m


class _Receiving:
    """The stream to the chip, and what the headers of its frames say.

    Attributes
    ----------
    connection : Signal(8)
    end : Signal(16)
        Offset behind what has been received.
    executed : Signal(16)
        Offset behind what the operations have taken of it.
    ack : Signal(16)
        Offset behind what the host has received of the other stream.
    opens, again, answers : Signal(1)
        A frame begins a connection, asks for all from ``ack`` on, is to be answered.
    """

    def __init__(self, link: HostLink, m: Module, commands: HostCommands, opens: Signal) -> None:
        size = link.params.buffer_bytes
        bits = size.bit_length()  # those of a number of bytes, and of an offset that counts
        m.submodules.frames = frames = FrameReceiver()
        connect(m, flipped(link.rx), frames.i)
        self.opens = opens
        self.connection = Signal(8)
        self.end, self.ack = Signal(OFFSET_BITS), Signal(OFFSET_BITS)
        self.executed = Signal(OFFSET_BITS)
        self.again, self.answers = Signal(), Signal()
        control, connection, ack = Signal(8), Signal(8), Signal(OFFSET_BITS)
        in_order, full, carries = Signal(), Signal(), Signal()
        put = Signal(bits)  # behind all that has been written, received or not

        with m.If(frames.write):
            with m.Switch(frames.place):
                with m.Case(REQUEST_HEADER.index("control")):
                    m.d.sync += [control.eq(frames.data), in_order.eq(1)]
                    m.d.sync += [full.eq(0), carries.eq(0)]
                with m.Case(REQUEST_HEADER.index("connection")):
                    m.d.sync += connection.eq(frames.data)
                for half, place in enumerate(_places("offset")):
                    with m.Case(place), m.If(frames.data != self.end.word_select(half, 8)):
                        m.d.sync += in_order.eq(0)
                for half, place in enumerate(_places("ack")):
                    with m.Case(place):
                        m.d.sync += ack.word_select(half, 8).eq(frames.data)

        m.submodules.requests = storage = memory.Memory(shape=8, depth=size, init=[])
        write, read = storage.write_port(), storage.read_port()
        fits = ~_apart(put, self.executed[:bits])
        payload = frames.write & (frames.place >= len(REQUEST_HEADER))
        m.d.comb += [write.addr.eq(put), write.data.eq(frames.data), write.en.eq(payload & fits)]
        with m.If(payload):
            m.d.sync += [full.eq(full | ~fits), carries.eq(frames.place == frames.shortest)]

        mine = (control[:4] == VERSION) & (connection == self.connection)
        taken = frames.whole & mine & in_order & ~full
        asked = Signal()  # for a connection
        m.d.comb += [
            asked.eq(frames.whole & (control[:4] == VERSION) & ((control & OPEN) != 0)),
            opens.eq(asked | link.abandon),
            link.reset.eq(link.abandon | (asked & ((control & RESET) != 0))),
            link.heard.eq(asked | (frames.whole & mine)),
            self.again.eq(frames.whole & mine & ((control & AGAIN) != 0)),
            self.answers.eq(
                link.abandon
                | (frames.whole & (carries | ~mine | ((control & (OPEN | AGAIN)) != 0)))
            ),
        ]
        moved = (put + Mux(taken, C(-CRC_BYTES, bits), payload & fits))[:bits]
        wraps = self.end[bits - 1] & ~moved[-1]  # a frame is no longer than the buffer
        m.d.sync += put.eq(moved)
        with m.If(taken):
            m.d.sync += self.end.eq(Cat(moved, self.end[bits:] + wraps))
        with m.Elif(frames.whole | frames.broken):
            m.d.sync += put.eq(self.end)
        with m.If(frames.whole & mine):
            m.d.sync += self.ack.eq(ack)

        fetched, leaves = Signal(), commands.i.valid & commands.i.ready
        m.d.comb += [
            read.addr.eq(self.executed),
            read.en.eq(1),
            commands.i.valid.eq(fetched & (self.executed[:bits] != self.end[:bits])),
            commands.i.payload.eq(read.data),
        ]
        m.d.sync += fetched.eq(~leaves)
        with m.If(leaves):
            m.d.sync += self.executed.eq(self.executed + 1)
        with m.If(opens):
            m.d.sync += self.connection[-1].eq(~self.connection[-1])  # any other will do
            m.d.sync += [value.eq(0) for value in (put, self.end, self.executed, self.ack)]
        with m.If(asked):
            m.d.sync += self.connection.eq(connection)


def _apart(ahead: Value, behind: Value) -> Value:
    """Return whether a whole buffer lies between two places, of which each has a bit more."""
    return (ahead[:-1] == behind[:-1]) & (ahead[-1] != behind[-1])


def _places(name: str) -> list[int]:
    return [place for place, here in enumerate(REQUEST_HEADER) if here == name]


def _sending(link: HostLink, m: Module, commands: HostCommands, received: _Receiving) -> None:
    """Build the stream from the chip, in frames with replies to those that came."""
    size = link.params.buffer_bytes
    bits = size.bit_length()
    frames = FrameTransmitter()
    m.submodules.reply_frames = ResetInserter(received.opens)(frames)
    connect(m, frames.o, flipped(link.tx))

    m.submodules.replies = storage = memory.Memory(shape=8, depth=size, init=[])
    write, read = storage.write_port(), storage.read_port()
    put = Signal(bits)  # behind what the commands have sent
    following = Signal(OFFSET_BITS)  # the offset that is sent next
    stored = commands.o.valid & commands.o.ready
    m.d.comb += [
        commands.o.ready.eq(~_apart(put, received.ack[:bits])),
        write.addr.eq(put),
        write.data.eq(commands.o.payload),
        write.en.eq(stored),
        read.addr.eq(following),
        read.en.eq(1),
    ]
    with m.If(stored):
        m.d.sync += put.eq(put + 1)

    place = Signal(range(len(REPLY_HEADER) + 1))  # in the header, or behind it
    end = Signal(bits)
    again, answers, fetched, empty = Signal(), Signal(), Signal(), Signal()
    # The host is told of room whenever a quarter of the buffer has become free.
    news = Cat(received.executed[bits - 3 : bits], commands.refused)
    told = Signal.like(news)
    ack, executed = Signal(OFFSET_BITS), Signal(OFFSET_BITS)  # as they were when it began
    control = C(VERSION, 8) | Mux(commands.refused, C(REFUSED, 8), 0)
    header = Cat(control, received.connection, following, ack, executed)
    parts = Array(header.word_select(at, 8) for at in range(len(REPLY_HEADER)))
    of_header = place != len(REPLY_HEADER)
    unsent = put != following[:bits]
    over = Mux(of_header, empty & (place == len(REPLY_HEADER) - 1), (following + 1)[:bits] == end)
    sent = frames.i.valid & frames.i.ready
    m.d.comb += [
        frames.i.p.data.eq(Mux(of_header, parts[place[:-1]], read.data)),
        frames.i.p.last.eq(over),
    ]
    m.d.sync += fetched.eq(~sent)
    with m.FSM(name="reply"):
        with m.State("WAIT"):
            with m.If(again):
                m.d.sync += [following.eq(received.ack), again.eq(0)]
            with m.Elif(frames.idle & (answers | unsent | (news != told))):
                m.d.sync += [ack.eq(received.end), executed.eq(received.executed), end.eq(put)]
                m.d.sync += [place.eq(0), answers.eq(0), told.eq(news), empty.eq(~unsent)]
                m.next = "SEND"
        with m.State("SEND"):
            m.d.comb += frames.i.valid.eq(fetched)
            with m.If(sent):
                with m.If(of_header):
                    m.d.sync += place.eq(place + 1)
                with m.Else():
                    m.d.sync += following.eq(following + 1)
                with m.If(frames.i.p.last):
                    m.next = "WAIT"
            with m.If(received.opens):
                m.next = "WAIT"
    with m.If(received.again):
        m.d.sync += again.eq(1)
    with m.If(received.answers):
        m.d.sync += answers.eq(1)
    with m.If(received.opens):
        m.d.sync += [value.eq(0) for value in (put, following, again)]
