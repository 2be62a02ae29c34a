"""What a board file says."""

from dataclasses import dataclass
from typing import Any

from amaranth.build import Clock, Resource

from spikelet.description.pins import Pin

__all__ = ["Board", "pins_from"]


@dataclass(frozen=True)
class Board:
    """A board: its FPGA, its clock, and the pins that our top modules use.

    Parameters
    ----------
    name : str
    device : str
        Name of a device of a file in ``fpga/families``.
    clock_hz : int
        Frequency of port ``clk``, in Hz.
    pins : tuple of Pin
        Of ports ``clk``, ``button``, ``led[n]``, ``rx`` and ``tx``.
    led_places, button_place : str
        Where the LEDs, by their numbers, and the button are on the board.
    programmers : tuple of str
        Commands that take the bitstream's path and load it, the most general first.
    bitstream_options : tuple of str
        For the packer.
    pll_hz : int
        Frequency of the chip, in Hz, which a PLL makes of ``clock_hz``; 0: the chip has
        ``clock_hz``.
    pll_pad : bool
        Whether the pin of ``clk`` is the pad of a PLL.
    flash_programmers : tuple of str
        Like ``programmers``, into the flash that the FPGA starts from.
    """

    name: str
    device: str
    clock_hz: int
    pins: tuple[Pin, ...]
    led_places: str
    button_place: str
    programmers: tuple[str, ...]
    bitstream_options: tuple[str, ...] = ()
    pll_hz: int = 0
    pll_pad: bool = False
    flash_programmers: tuple[str, ...] = ()

    @property
    def chip_hz(self) -> int:
        """Frequency of the chip, in Hz."""
        return self.pll_hz or self.clock_hz

    @property
    def leds(self) -> tuple[Pin, ...]:
        """The LEDs, in order."""
        return tuple(pin for pin in self.pins if pin.port.startswith("led["))

    def pin(self, port: str) -> Pin:
        """Return the pin of a port bit."""
        return next(pin for pin in self.pins if pin.port == port)

    def pins_of(self, ports: tuple[str, ...]) -> tuple[Pin, ...]:
        """Return the pins of some ports, all bits of each."""
        return tuple(pin for pin in self.pins if pin.port.split("[")[0] in ports)


def pins_from(platform: Any, ports: dict[str, tuple[str, int]]) -> tuple[int, tuple[Pin, ...]]:
    """Return the clock frequency in Hz and the pins of an amaranth-boards platform.

    Parameters
    ----------
    platform : amaranth.build.Platform
        With its resources and connectors added.
    ports : dict
        (resource name, number) of each port bit, in the order wanted; a dot in the resource name
        selects a subsignal, as in ``"uart.tx"``.
    """
    connections = {
        name: site for connector in type(platform).connectors for name, site in connector
    }
    frequency = 0
    pins = []
    for port, (path, number) in ports.items():
        name, _, subsignal = path.partition(".")
        resource = platform.lookup(name, number)
        part = resource
        if subsignal:
            part = next(io for io in resource.ios if getattr(io, "name", None) == subsignal)
        attributes = {**resource.attrs, **part.attrs}
        wired = part.ios[0]
        (site,) = wired.map_names(connections, resource)
        shown = tuple((key, str(value)) for key, value in attributes.items() if key != "GLOBAL")
        pins.append(Pin(port, site, wired.invert, shown))
        frequency = _frequency(resource) or frequency
    return frequency, tuple(pins)


def _frequency(resource: Resource) -> int:
    clock = resource.clock
    return int(clock.frequency) if isinstance(clock, Clock) else 0
