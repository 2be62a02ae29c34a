"""The configuration chain: every core sees each request, one clock cycle after the core before it.

No twin in golden: configuration is how an image gets into the chip, not what the chip computes.
"""

from amaranth import Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from spikelet.description.chip.memory_map import Region
from spikelet.rtl_gen.layouts import CONFIG_LATENCY, RegionPort, delayed

__all__ = ["ConfigLink", "ConfigNode"]


class ConfigLink(wiring.Signature):
    """What one node of the chain hands to the next.

    Members
    -------
    write, read : ``Out(1)``
        A request, with ``address`` and ``data``.
    address : ``Out(address_bits)``
    data : ``Out(32)``
    response : ``Out(32)``
        Read data of the nodes so far, later than the request by a time that is the same all along
        the chain; 0 where none of them was addressed.
    """

    def __init__(self, address_bits: int) -> None:
        super().__init__(
            {
                "write": Out(1),
                "read": Out(1),
                "address": Out(address_bits),
                "data": Out(32),
                "response": Out(32),
            }
        )


class ConfigNode(wiring.Component):
    """One window of the address space.

    Timing: a request every cycle; it passes on after one cycle, and reaches its region after
    another, so that no memory waits for an address to be decoded. Read data leaves with
    ``response`` :attr:`latency` cycles after the request came.
    Reset: forgets requests on their way.

    Parameters
    ----------
    window : int or Value
        Which window this is.
    window_words : int
        Words of a window.
    address_bits : int
    regions : dict of Region

    Members
    -------
    i : ``In(ConfigLink(address_bits))``
    o : ``Out(ConfigLink(address_bits))``
    NAME : ``Out(RegionPort(...))``
        For each region.
    """

    latency = CONFIG_LATENCY + 3
    """Clock cycles from a request to its answer."""

    def __init__(
        self,
        *,
        window: int | Value,
        window_words: int,
        address_bits: int,
        regions: dict[str, Region],
    ) -> None:
        self.window = window
        self.window_words = window_words
        self.regions = regions
        super().__init__(
            {
                "i": In(ConfigLink(address_bits)),
                "o": Out(ConfigLink(address_bits)),
                **{
                    name: Out(RegionPort((region.span - 1).bit_length(), region.bits))
                    for name, region in regions.items()
                },
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        for name in ("write", "read", "address", "data"):
            m.d.sync += getattr(self.o, name).eq(getattr(self.i, name))

        hit = Signal()
        m.d.comb += hit.eq(self.o.address[self.window_words.bit_length() - 1 :] == self.window)
        address, data = Signal.like(self.o.address), Signal.like(self.o.data)
        m.d.sync += [address.eq(self.o.address), data.eq(self.o.data)]
        words = []
        for name, region in self.regions.items():
            port = getattr(self, name)
            selected = Signal(name=f"{name}_selected")
            offset_bits = (region.span - 1).bit_length()
            above = self.o.address[offset_bits : self.window_words.bit_length() - 1]
            m.d.comb += selected.eq(hit & (above == region.base >> offset_bits))
            m.d.sync += [
                port.write.eq(selected & self.o.write),
                port.read.eq(selected & self.o.read),
            ]
            m.d.comb += [port.offset.eq(address), port.data.eq(data)]
            answered = delayed(m, port.read, CONFIG_LATENCY, name=f"{name}_answered")
            words.append(Mux(answered, port.read_data, 0))
        response = self.i.response
        for word in words:
            response = response | word
        m.d.sync += self.o.response.eq(response)
        return m
