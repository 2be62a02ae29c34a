"""What Verilator compiles along with a post-synthesis netlist: the models of its cells."""

from pathlib import Path

from spikelet.description.errors import SpikeletError
from spikelet.description.yosys import yosys_share

__all__ = ["netlist_includes", "netlist_sources"]


def netlist_sources(family: str) -> list[Path]:
    """Return the cell models of a family, ``"ecp5"`` or ``"ice40"``.

    They are those that Yosys ships. For the ECP5's block RAM and multiplier, which it ships as
    black boxes, they are ours; a netlist that uses them in a way that is not modelled does not
    compile.
    """
    if family not in ("ecp5", "ice40"):
        raise SpikeletError(f"netlist: family must be ecp5 or ice40, not {family!r}")
    return [Path(__file__).parent / "cells" / f"{family}.v"]


def netlist_includes() -> list[Path]:
    """Return the folders in which the models look for included files."""
    return [yosys_share(), yosys_share() / "ecp5"]
