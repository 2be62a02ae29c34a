"""The engine that runs a chip as gates of a library of standard cells."""

from pathlib import Path

from spikelet.asic.chip_design import AsicDesign, asic_design
from spikelet.asic.liberty import Library, read_library
from spikelet.asic.synthesise import Gates, synthesise
from spikelet.description.artefact import Artefact, digest_of
from spikelet.description.chip.state import ChipState
from spikelet.description.errors import SpikeletError
from spikelet.description.run.recording import Recording
from spikelet.description.versions import package_versions
from spikelet.locked import writing
from spikelet.runs.driven import driven
from spikelet.runs.wanted import Wanted
from spikelet.sim.engine import VerilatedChip
from spikelet.sim.verilator import Design

__all__ = ["CELLS", "cells_design", "made_gates", "run_cells"]

CELLS = "netlist-cells"
"""The engine's name, and that of its folder in a project."""

_POWER_ON_SEED = 1
_CLOCK_MHZ = 100.0


def run_cells(wanted: Wanted) -> tuple[Recording, ChipState | None]:
    """Run the gates that synthesis makes with a library, all registers random at power-on.

    Memories are models of macros. SpikeletError without a library, or if it does not do.
    """
    if wanted.liberty is None:
        raise SpikeletError(
            f"engine {CELLS} needs a library of standard cells",
            remedy="give its liberty file: --liberty FILE.lib",
        )
    folder, chip = wanted.place(CELLS) / CELLS, wanted.compiled.chip
    library = read_library(wanted.liberty)
    with writing(folder):
        made_gates(asic_design(chip), library, folder, clock_mhz=_CLOCK_MHZ)
        design = cells_design(folder)
    engine = VerilatedChip(chip, design, name=CELLS, optimise="build", power_on_seed=_POWER_ON_SEED)
    with engine as simulated:
        return driven(simulated, wanted)


def made_gates(design: AsicDesign, library: Library, folder: Path, *, clock_mhz: float) -> Gates:
    """Return a chip's gates, synthesised in ``folder`` unless they are there."""
    made = Artefact(
        CELLS,
        {"asic Verilog": digest_of(*design.files.values())},
        options={"liberty": digest_of(library.path.read_bytes()), "clock_mhz": clock_mhz},
        tools=package_versions("pyosys"),
    )
    found = Artefact.load(folder)
    if found is None or not found.same_making(made) or not found.intact(folder):
        synthesise(design.files, design.top, library, folder, period_ps=1e6 / clock_mhz)
        made.seal(folder)
    return Gates.load(folder)


def cells_design(folder: Path) -> Design:
    """Return the gates in a folder for simulation, with models of cells and macros."""
    models = (folder / "cells.v", folder / "memory_models.v")
    return Design((folder / "netlist.v").read_text(), models)
