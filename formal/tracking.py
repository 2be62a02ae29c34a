"""What proofs share: marked flits, and streams that stand."""

from amaranth import C, Cat, Module, ResetSignal, Signal, Value
from amaranth.hdl import Assert, Assume
from amaranth.lib import data, wiring

from spikelet.description.chip.packets import Field, Packet

__all__ = ["FIRST", "MARKED", "OTHER", "SECOND", "Mark", "Marks", "assert_stable", "no_reset"]

FIRST, SECOND, OTHER = 1, 2, 3
"""Marks. 0 never comes in, so that a flit that leaves without having come in is seen."""

MARKED = Packet("flit", (Field("axon", 2, "mark"), Field("x", 1, "anything")))
"""The smallest flit that can be followed."""


def no_reset(m: Module) -> None:
    """Let a proof begin in the state after a reset, without another."""
    m.d.comb += Assume(~ResetSignal())


class Mark:
    """What is known of a marked flit.

    Parameters
    ----------
    value : int
    shape : StructLayout
    ports : tuple of str
        Through which it may leave.
    name : str

    Attributes
    ----------
    came : Signal
        It has come in.
    flit : View
        As it came in.
    left : dict of str to Signal
        It has left through the port.
    """

    def __init__(
        self, value: int, shape: data.StructLayout, ports: tuple[str, ...], name: str
    ) -> None:
        self.value = value
        self.came = Signal(name=f"{name}_came")
        self.flit = Signal(shape, name=f"{name}_flit")
        self.left = {port: Signal(name=f"{name}_left_{port}") for port in ports}

    def all_left(self, wanted: dict[str, Value]) -> Value:
        """Return whether it has left through all the ports it wants."""
        return Cat(~wanted[port] | left for port, left in self.left.items()).all()


class Marks:
    """Two flits that come in at one port, of all that come in there.

    Where a flit goes does not depend on its axon, so the axon can serve as a mark (data
    independence: Wolper 1986). The environment is free to choose which flit is the first and which,
    behind it, the second; all others have the mark :data:`OTHER`. What is proved of the two is so
    proved of any two.

    Parameters
    ----------
    m : Module
    i : stream of flit
        Where they come in; with an ``axon`` of 2 bits.
    ports : tuple of str
        Through which they may leave.
    """

    def __init__(self, m: Module, i: wiring.PureInterface, ports: tuple[str, ...] = ("o",)) -> None:
        self.first = Mark(FIRST, i.p.shape(), ports, "first")
        self.second = Mark(SECOND, i.p.shape(), ports, "second")
        self.both = (self.first, self.second)
        for mark in self.both:
            with m.If(i.valid & (i.p.axon == mark.value)):
                m.d.comb += Assume(~mark.came)
                with m.If(i.ready):
                    m.d.sync += [mark.came.eq(1), mark.flit.eq(i.p)]
        with m.If(i.valid):
            m.d.comb += Assume(i.p.axon != 0)
            m.d.comb += Assume((i.p.axon != SECOND) | self.first.came)

    def watch(
        self, m: Module, o: wiring.PureInterface, port: str, wants: dict[Mark, Value] | None = None
    ) -> None:
        """Assert that the flits leave here once, unchanged, in order, and only if they want to.

        Parameters
        ----------
        m : Module
        o : stream of flit
            Fields that came in too have not changed.
        port : str
        wants : dict of Mark to Value, optional
            Whether they are to leave here; without, they are.
        """
        wants = wants or dict.fromkeys(self.both, C(1))
        for mark in self.both:
            with m.If(o.valid & (o.p.axon == mark.value)):
                m.d.comb += Assert(mark.came & wants[mark] & ~mark.left[port])
                for name in o.p.shape().members:
                    if name in mark.flit.shape().members:
                        m.d.comb += Assert(o.p[name] == mark.flit[name])
                if mark is self.second:
                    m.d.comb += Assert(~wants[self.first] | self.first.left[port])
                with m.If(o.ready):
                    m.d.sync += mark.left[port].eq(1)
        with m.If(o.valid):
            m.d.comb += Assert(o.p.axon != 0)


def assert_stable(m: Module, stream: wiring.PureInterface, name: str) -> None:
    """Assert that what a stream offers stands until it is taken."""
    payload = Value.cast(stream.payload)
    stalled = Signal(name=f"{name}_stalled")
    offered = Signal.like(payload, name=f"{name}_offered")
    m.d.sync += [stalled.eq(stream.valid & ~stream.ready), offered.eq(payload)]
    with m.If(stalled):
        m.d.comb += Assert(stream.valid & (payload == offered))
