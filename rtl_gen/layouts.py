"""Signatures and layouts that components share, made from the description.

No twin in golden, which has no wires.
"""

from amaranth import Module, Shape, Signal, Value, ValueCastable
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from spikelet.description.chip.packets import Packet

__all__ = [
    "CONFIG_LATENCY",
    "RegionPort",
    "config_request",
    "config_response",
    "delayed",
    "feed",
    "flit_stream",
    "layout",
]

CONFIG_LATENCY = 4
"""Clock cycles from a read strobe at a region to its data."""


def layout(packet: Packet) -> data.StructLayout:
    """Return the fields of a packet as an Amaranth layout."""
    return data.StructLayout({field.name: Shape(field.width) for field in packet.fields})


def flit_stream(packet: Packet) -> stream.Signature:
    """Return the signature of a stream of flits."""
    return stream.Signature(layout(packet))


def feed(m: Module, source: wiring.PureInterface, target: wiring.PureInterface) -> None:
    """Connect a stream of flits to one whose flits may have other fields: the common ones pass."""
    m.d.comb += [target.valid.eq(source.valid), source.ready.eq(target.ready)]
    for name in target.p.shape().members:
        if name in source.p.shape().members:
            m.d.comb += target.p[name].eq(source.p[name])


def config_request(address_bits: int) -> stream.Signature:
    """Return the signature of configuration requests: word address, data, write (else read)."""
    return stream.Signature(data.StructLayout({"address": address_bits, "data": 32, "write": 1}))


def config_response() -> wiring.Signature:
    """Return the signature of read data: a word for each read, in order; it does not wait."""
    return wiring.Signature({"payload": Out(32), "valid": Out(1)})


class RegionPort(wiring.Signature):
    """Access of the configuration port to one region.

    Parameters
    ----------
    offset_bits, bits : int
        Width of an offset into the region, and of its words.

    Members
    -------
    write, read : ``Out(1)``
        Strobes, with ``offset``.
    offset : ``Out(offset_bits)``
    data : ``Out(bits)``
        To be written.
    read_data : ``In(bits)``
        Valid :data:`CONFIG_LATENCY` cycles after ``read``.
    """

    def __init__(self, offset_bits: int, bits: int) -> None:
        super().__init__(
            {
                "write": Out(1),
                "read": Out(1),
                "offset": Out(offset_bits),
                "data": Out(bits),
                "read_data": In(bits),
            }
        )


def delayed(m: Module, value: Value | ValueCastable, cycles: int, *, name: str) -> Value:
    """Return ``value`` as it was ``cycles`` clock cycles ago."""
    value = Value.cast(value)
    if len(value) == 0:  # Verilog knows no signal without bits
        return value
    for cycle in range(1, cycles + 1):
        register = Signal(value.shape(), name=f"{name}_q{cycle}")
        m.d.sync += register.eq(value)
        value = register
    return value
