"""What is behind a serial port, asked without resetting it."""

from dataclasses import dataclass

from spikelet.description.errors import SpikeletError
from spikelet.host.board_port import BoardPort
from spikelet.host.ports import opened_port
from spikelet.host.serial_link import SerialLink

__all__ = ["Answer", "identified"]


@dataclass(frozen=True)
class Answer:
    """What a port says.

    Parameters
    ----------
    words : str
    structure : str
        First 8 hexadecimal digits of the digest of the chip's structure; empty if no chip answers.
    """

    words: str
    structure: str = ""


def identified(port: BoardPort, *, patience_s: float = 0.5) -> Answer:
    """Return what answers at a port; a chip there is not reset.

    Parameters
    ----------
    port : BoardPort
    patience_s : float
        How long an answer is waited for.
    """
    try:
        link = SerialLink(opened_port(port.name, port.baud), reset=False, patience_s=patience_s)
    except SpikeletError as error:
        return Answer(str(error.args[0]))
    link.close()
    structure = f"{link.structure:08x}"
    return Answer(f"chip of structure {structure}, {link.clock_hz / 1e6:g} MHz", structure)
