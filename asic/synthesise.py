"""Gates: a chip's Verilog as cells of a library, by Yosys and ABC, and models of those cells."""

import json
import re
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from spikelet.asic.liberty import Library
from spikelet.description.errors import SpikeletError
from spikelet.description.yosys import run_yosys

__all__ = ["MODELS_SCRIPT", "Gates", "synthesise"]

_MODULE = re.compile(r"^module (\S+?) ?\(.*?^endmodule\n", re.M | re.S)

# The flip-flops first, so that ABC sees the gates around them. ABC says what it takes as delay.
_SCRIPT = """\
read_verilog chip.v memories.v
read_verilog -lib memory_blackboxes.v
hierarchy -check -top {top}
synth -flatten -noabc -top {top}
dfflibmap -liberty cells.lib
opt
abc -liberty cells.lib -script +{abc}
setundef -zero
opt_clean -purge
tee -q -o cells.json stat -json -liberty cells.lib
splitnets
write_verilog -noattr netlist.v
"""
_ABC = ("strash", "ifraig", "dch,-f", "map,-B,0.9", "topo")
_ABC_SIZED = ("buffer,-c", "topo", "stime,-p", "upsize,-D,{picoseconds}", "dnsize,-D,{picoseconds}")

MODELS_SCRIPT = """\
read_liberty -ignore_miss_func cells.lib
proc
write_verilog -noattr library.v
"""
"""Makes ``library.v``, models of all cells, of ``cells.lib``."""


@dataclass(frozen=True)
class Gates:
    """A chip as cells of a library.

    Parameters
    ----------
    cells : dict of str to int
        How many of each cell.
    area : float
        Of all cells, in the library's unit, without macros.
    delay_ps : float or None
        ABC's longest path through gates, in ps; None if the library has no delays.
    """

    cells: dict[str, int]
    area: float
    delay_ps: float | None

    def to_json(self) -> str:
        """Return it as text."""
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def load(cls, folder: Path) -> "Gates":
        """Return what :func:`synthesise` left in a folder, as ``gates.json``."""
        return cls(**json.loads((folder / "gates.json").read_text()))


def synthesise(
    files: dict[str, str], top: str, library: Library, folder: Path, *, period_ps: float
) -> Gates:
    """Map a chip to the cells of a library; files, scripts and logs stay in ``folder``.

    Among them ``netlist.v``, the cells, in which memory macros are instances; ``cells.v``, a model
    of each cell in it, made of the functions that the liberty file states; and ``gates.json``.

    Parameters
    ----------
    files : dict of str to str
        ``chip.v``, ``memories.v`` and ``memory_blackboxes.v``.
    top : str
    library : Library
    folder : Path
    period_ps : float
        Of the clock, at which ABC sizes gates.

    Raises
    ------
    SpikeletError
        If Yosys fails, or a part of the chip found no cell.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    shutil.copyfile(library.path, folder / "cells.lib")
    commands = list(_ABC)
    if library.delays:
        commands += [c.format(picoseconds=round(period_ps)) for c in _ABC_SIZED]
        commands += ["stime,-p"]
    run_yosys(_SCRIPT.format(top=top, abc=";".join(commands)), folder)
    run_yosys(MODELS_SCRIPT, folder, "models")
    counted = json.loads((folder / "cells.json").read_text())["design"]
    macros = set(re.findall(r"^module (\S+?)\(", files["memory_blackboxes.v"], re.M))
    cells = {
        str(name): int(number) for name, number in _by_type(counted).items() if name not in macros
    }
    models = _models((folder / "library.v").read_text(), cells, library)
    (folder / "cells.v").write_text(models)
    area = sum(cell.area * cells.get(cell.name, 0) for cell in library.cells)
    delays = re.findall(r"Delay = *([\d.]+) ps", (folder / "yosys.log").read_text(errors="replace"))
    delay = float(delays[-1]) if delays and library.delays else None
    gates = Gates(cells, area, delay)
    (folder / "gates.json").write_text(gates.to_json())
    return gates


def _by_type(counted: dict[str, object]) -> dict[str, int]:
    """Return the numbers of cells, which some versions of Yosys give with areas."""
    found = counted["num_cells_by_type"]
    assert isinstance(found, dict)
    return {
        str(name): int(number["count"] if isinstance(number, dict) else number)
        for name, number in found.items()
    }


def _models(text: str, cells: dict[str, int], library: Library) -> str:
    """Return the models of the cells that are used; SpikeletError if one has none."""
    known = {found[1].removeprefix("\\"): found[0] for found in _MODULE.finditer(text)}
    unknown = sorted(cells.keys() - known.keys())
    if unknown:
        raise SpikeletError(
            f"{library.path}: library {library.name} has no cell for {', '.join(unknown)}",
            remedy="give a library that has flip-flops and gates of two inputs with functions",
        )
    return "\n".join(known[name] for name in sorted(cells))
