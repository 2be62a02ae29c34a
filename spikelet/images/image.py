"""What a kind of image is: the top module of a board's bitstream, and what it takes."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields

from spikelet.boards import Board
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.errors import SpikeletError
from spikelet.description.summary import summary
from spikelet.fpga.fit import Beside
from spikelet.samples.samples import Samples

__all__ = ["FLASH_FILE", "BoardImage", "ImageKind", "ImageOptions", "has_ports", "require_ports"]

FLASH_FILE = "flash.bin"
"""What goes into the board's flash besides the bitstream."""


@dataclass(frozen=True, eq=False)
class ImageOptions:
    """What may be said of an image; each kind takes some of it.

    Parameters
    ----------
    samples : Samples or None
        Of which some are stored.
    sample : int
        The first of them.
    count : int or None
        How many.
    baud : int or None
        Of the serial port.
    ticks : int or None
        Of a window, in which spikes are counted.
    tick_us : float or None
        From tick to tick, in us.
    cycle_limit : int or None
        Clock cycles after which a self-test gives up.
    """

    __repr__ = summary

    samples: Samples | None = None
    sample: int = 0
    count: int | None = None
    baud: int | None = None
    ticks: int | None = None
    tick_us: float | None = None
    cycle_limit: int | None = None


@dataclass(frozen=True, eq=False)
class BoardImage:
    """An image that can be built.

    Parameters
    ----------
    verilog : callable
        Returns the whole design, whose module ``top`` has ports that are pins of the board.
    ports : tuple of str
        Of ``top``.
    beside : Beside
        What it takes beside the chip.
    inputs : mapping of str to str
        Digests, by role, of what it is made of besides the chip.
    settings : mapping of str to int
        What who uses the bitstream must know of it.
    files : mapping of str to bytes
        What is kept beside the bitstream, by name. Of :data:`FLASH_FILE` ``flash_offset`` of the
        settings says where in the board's flash it goes.
    """

    __repr__ = summary

    verilog: Callable[[], str]
    ports: tuple[str, ...]
    beside: Beside
    inputs: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, int] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)


class ImageKind(ABC):
    """A kind of image.

    Attributes
    ----------
    name : str
        Of ``--image``.
    title : str
        What it is for.
    luts : int
        Logic cells, of a table of four inputs, that it takes beside the chip and its memories.
    takes : tuple of str
        The options that it knows, of :class:`ImageOptions`; ``samples`` may be given to any.
    """

    name: str
    title: str
    luts: int
    takes: tuple[str, ...] = ()

    @property
    def stores_samples(self) -> bool:
        """Whether samples that are given stand in the image."""
        return "samples" in self.takes

    def check(self, options: ImageOptions) -> None:
        """Raise SpikeletError for an option that this kind does not know."""
        usual = ImageOptions()
        for option in fields(options):
            known = option.name in (*self.takes, "samples")
            if not known and getattr(options, option.name) != getattr(usual, option.name):
                raise SpikeletError(
                    f"image {self.name} has no option {option.name}",
                    remedy=f"leave --{option.name} out, or choose another image (--image)",
                )

    @abstractmethod
    def beside(self, compiled: CompiledNetwork) -> Beside:
        """Return what it takes beside a chip, as far as that is known without options."""

    @abstractmethod
    def make(self, compiled: CompiledNetwork, board: Board, options: ImageOptions) -> BoardImage:
        """Return the image of a network for a board; SpikeletError if the options do not do."""

    @abstractmethod
    def guidance(self, board: Board) -> list[str]:
        """Return what to look at, or to do, once the board is programmed, in lines."""


def has_ports(board: Board, ports: tuple[str, ...]) -> bool:
    """Return whether a board has pins of all these ports."""
    return set(ports) <= {pin.port.split("[")[0] for pin in board.pins}


def require_ports(board: Board, ports: tuple[str, ...], what: str) -> None:
    """Raise SpikeletError unless a board has pins of these ports."""
    missing = [port for port in ports if not has_ports(board, (port,))]
    if missing:
        raise SpikeletError(
            f"{board.name} has no pins for {what}: {', '.join(missing)}",
            remedy="build for iCEBreaker, or build the image host-link, whose chip a host loads",
        )
