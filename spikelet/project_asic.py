"""What ``spikelet asic`` writes: a chip's files for a layout elsewhere, and an estimate."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from spikelet.asic.chip_design import SMALLEST_MACRO_BITS, AsicDesign, asic_design, constraints
from spikelet.asic.gate_replay import gate_replay_files
from spikelet.asic.liberty import read_library
from spikelet.asic.memories import macro_table
from spikelet.asic.synthesise import Gates
from spikelet.asic.timing import longest_path_ps
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.artefact import Artefact
from spikelet.description.errors import SpikeletError
from spikelet.description.files import AtomicFile
from spikelet.description.versions import package_versions
from spikelet.runs.recorded_run import record_run
from spikelet.runs.standard_cells import made_gates

__all__ = ["AsicEstimate", "write_asic"]

ESTIMATE = "estimate.json"


@dataclass(frozen=True)
class AsicEstimate:
    """What is known of a chip before layout.

    Parameters
    ----------
    clock_mhz : float
        That was asked for.
    macros : list of dict
        As :func:`~spikelet.asic.memories.macro_table` returns them; their area is not known.
    library : str
        Empty without one, and then what follows is empty, too.
    cells : dict of str to int
    area : float
        Of the cells, in the library's unit, without macros, wires, clock tree and gaps.
    path_ps : float or None
        Longest path, in ps, without wires.
    path_by : str
        ``"OpenSTA"``: from clock to clock; ``"ABC"``: through gates alone, without what flip-flops
        take; empty if the library has no delays.
    """

    clock_mhz: float
    macros: list[dict[str, Any]]
    library: str = ""
    cells: dict[str, int] | None = None
    area: float = 0.0
    path_ps: float | None = None
    path_by: str = ""

    @property
    def macro_bits(self) -> int:
        """Bits of memory in all macros."""
        return sum(int(macro["bits"]) for macro in self.macros)


def write_asic(
    compiled: CompiledNetwork,
    folder: Path,
    *,
    liberty: Path | None = None,
    clock_mhz: float = 100.0,
    smallest_macro_bits: int = SMALLEST_MACRO_BITS,
    command: str = "",
    progress: Callable[[str], None] = lambda line: None,
) -> AsicEstimate:
    """Write a chip's files for standard cells.

    ``verilog/``: the chip without initial values, wrappers, models and black boxes of its memory
    macros; ``memories.json``: their shapes; ``constraints.sdc``; ``test/``: golden's recorded run,
    its testbench and ``run.sh``; ``estimate.json``; with a library also ``gates/``: the netlist,
    and models of its cells.

    Parameters
    ----------
    compiled : CompiledNetwork
    folder : Path
    liberty : Path or None
        Library of standard cells.
    clock_mhz : float
        Above 0.
    smallest_macro_bits : int
        Memories of fewer bits become registers.
    command : str
        For the record.
    progress : callable
        Told what is done next.

    Raises
    ------
    SpikeletError
        If the library does not do, see :func:`~spikelet.asic.liberty.read_library`, a number is
        out of its range, or a tool fails.
    """
    if not clock_mhz > 0:
        raise SpikeletError(f"clock_mhz must be above 0, not {clock_mhz:g}")
    library = read_library(liberty) if liberty else None
    progress("Verilog without initial values, memories as macros")
    design = asic_design(compiled.chip, smallest_macro_bits=smallest_macro_bits)
    progress("golden's run for the test of the gates")
    recorded = record_run(compiled, None, design.top)
    macros = macro_table(design.top, design.macros)
    sdc = constraints(clock_mhz)
    texts = {
        **{f"verilog/{name}": text for name, text in design.files.items()},
        "memories.json": json.dumps(macros, indent=1) + "\n",
        "constraints.sdc": sdc,
        **{
            f"test/{n}": t
            for n, t in gate_replay_files(compiled.chip, recorded, design.top).items()
        },
    }
    Artefact(
        "files for standard cells",
        compiled.digests,
        options={"clock_mhz": clock_mhz, "smallest_macro_bits": smallest_macro_bits},
        tools=package_versions("spikelet", "amaranth", "pyosys"),
        command=command,
    ).write(folder, {name: text.encode() for name, text in texts.items()})
    estimate = AsicEstimate(clock_mhz, macros)
    if library is None:
        Artefact.remove(folder / "gates")  # those of an earlier call may be another chip's
    else:
        progress(f"gates of {library.name}, by Yosys and ABC: minutes for a large chip")
        gates = made_gates(design, library, folder / "gates", clock_mhz=clock_mhz)
        path, path_by = _path(design, gates, folder / "gates", sdc, clock_mhz)
        estimate = AsicEstimate(
            *(clock_mhz, macros, library.name, gates.cells, gates.area, path, path_by)
        )
    with AtomicFile(folder / ESTIMATE) as file:
        file.write((json.dumps(asdict(estimate), indent=1) + "\n").encode())
    return estimate


def _path(
    design: AsicDesign, gates: Gates, folder: Path, sdc: str, clock_mhz: float
) -> tuple[float | None, str]:
    """Return the longest path in ps, and what found it."""
    if gates.delay_ps is None:
        return None, ""
    (folder / "constraints.sdc").write_text(sdc)
    found = longest_path_ps(folder, design.top, 1e6 / clock_mhz)
    return (gates.delay_ps, "ABC") if found is None else (found, "OpenSTA")
