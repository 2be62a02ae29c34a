"""A pin of an FPGA, as a board wires it."""

from dataclasses import dataclass

__all__ = ["Pin"]


@dataclass(frozen=True)
class Pin:
    """One pin of the FPGA that a port of the top module is wired to.

    Parameters
    ----------
    port : str
        Port bit, such as ``"clk"`` or ``"led[3]"``.
    site : str
        Ball or pad.
    inverted : bool
        Whether the board inverts it: a LED that lights, or a button that reads pressed, at 0.
    attributes : tuple of (str, str)
        Electrical attributes, as the constraint file names them.
    """

    port: str
    site: str
    inverted: bool = False
    attributes: tuple[tuple[str, str], ...] = ()
