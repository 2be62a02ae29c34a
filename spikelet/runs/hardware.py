"""The engines that run the chip's Verilog: as it was generated, synthesised, or emitted."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from spikelet.boards import Board
from spikelet.description.artefact import Artefact, digest_of
from spikelet.description.chip.params import ChipParams
from spikelet.description.chip.state import ChipState
from spikelet.description.errors import SpikeletError
from spikelet.description.processors import threads_of
from spikelet.description.run.recording import Recording
from spikelet.description.versions import package_versions
from spikelet.fpga.families import device_named, family_named
from spikelet.fpga.families.family import Family
from spikelet.fpga.synthesise import script, synthesise
from spikelet.locked import writing
from spikelet.rtl_gen.chip import Chip
from spikelet.rtl_gen.emit import to_verilog
from spikelet.runs.driven import driven
from spikelet.runs.standard_cells import CELLS, cells_design, run_cells
from spikelet.runs.wanted import CHIP_VERILOG, EMITTED_VERILOG, MADE_OF, Wanted
from spikelet.sim.engine import VerilatedChip
from spikelet.sim.verilator import Design

__all__ = [
    "board_design",
    "chip_verilog",
    "design_of",
    "run_cocotb",
    "run_netlist",
    "run_rtl",
    "run_standard_cells",
]


@lru_cache(maxsize=8)
def chip_verilog(chip: ChipParams) -> str:
    """Return the Verilog of a chip, top module ``chip``; that of the last few is kept."""
    return to_verilog(Chip(chip), "chip", share=True)


def board_design(verilog: str, board: Board) -> Design:
    """Return a board's top module for simulation, with models of its PLL and of all cells."""
    family = device_named(board.device).family
    return Design(verilog, family.cell_models, family.include_folders())


def run_rtl(wanted: Wanted) -> tuple[Recording, ChipState | None]:
    """Run the generated Verilog in compiled simulation."""
    design = Design(chip_verilog(wanted.compiled.chip))
    return _simulated(wanted, design, "rtl", "run", {CHIP_VERILOG: digest_of(design.text)})


def run_netlist(family: Family, wanted: Wanted) -> tuple[Recording, ChipState | None]:
    """Run what synthesis makes for the family's largest device, if the folder does not have it."""
    engine = f"netlist-{family.name}"
    folder = wanted.place(engine) / engine
    verilog = chip_verilog(wanted.compiled.chip)
    device = family.largest
    made = Artefact(
        f"netlist for {device.name}",
        {CHIP_VERILOG: digest_of(verilog)},
        options={"device": device.name, "synthesis": digest_of(script(verilog, "chip", device))},
        tools=package_versions("pyosys"),
    )
    with writing(folder):
        found = Artefact.load(folder)
        if found is None or not found.same_making(made) or not found.intact(folder):
            synthesise(verilog, "chip", device, folder)
            made.seal(folder)
        design = _netlist_design(family, folder.parent)
    # It takes the C++ compiler minutes at its best optimisation, and runs few samples.
    return _simulated(wanted, design, engine, "build", made.inputs)


def run_standard_cells(wanted: Wanted) -> tuple[Recording, ChipState | None]:
    """Run gates of a library of standard cells; see :func:`run_cells`."""
    trace, state = run_cells(wanted)
    trace.notes[MADE_OF] = {CHIP_VERILOG: digest_of(chip_verilog(wanted.compiled.chip))}
    return trace, state


def _netlist_design(family: Family, folder: Path) -> Design:
    """Return the netlist that was simulated last."""
    netlist = (folder / f"netlist-{family.name}" / "netlist.v").read_text()
    return Design(netlist, family.cell_models, family.include_folders())


def _simulated(
    wanted: Wanted, design: Design, name: str, optimise: str, made_of: Mapping[str, str]
) -> tuple[Recording, ChipState | None]:
    """Run in a Verilated chip."""
    threads = threads_of(wanted.threads)
    with VerilatedChip(
        wanted.compiled.chip, design, name=name, optimise=optimise, threads=threads
    ) as chip:
        trace, state = driven(chip, wanted)
    trace.notes[MADE_OF] = dict(made_of)
    return trace, state


def run_cocotb(simulator: str, wanted: Wanted) -> tuple[Recording, ChipState | None]:
    """Run the project's emitted Verilog in a simulator, by cocotb."""
    from spikelet.sim.emitted import run_samples  # noqa: PLC0415 - needs cocotb

    compiled, name = wanted.compiled, f"cocotb-{simulator}"
    if wanted.start is not None or not wanted.clear or wanted.reward is not None:
        raise SpikeletError(
            f"engine {name} runs each sample from a cleared state, without reward",
            remedy="use golden or rtl to go on from a state, or with rewards",
        )
    if wanted.early_stop:
        raise SpikeletError(
            f"engine {name} runs all ticks of each sample",
            remedy="use golden, rtl or a netlist for early stop, or leave it out",
        )
    folder = wanted.place(name)
    trace, state = run_samples(
        *(compiled.chip, wanted.image, folder / "rtl", wanted.events(), simulator, folder / name),
        record=wanted.record,
        neurons=compiled.neurons,
    )
    wanted.progress(len(wanted.spikes))
    design = design_of(name, compiled.chip, folder)
    trace.notes[MADE_OF] = {EMITTED_VERILOG: digest_of(design.text)}
    return trace, state


def design_of(engine: str, chip: ChipParams, folder: Path) -> Design:
    """Return the Verilog that an engine ran; SpikeletError if it runs none.

    Parameters
    ----------
    engine : str
    chip : ChipParams
    folder : Path
        The project folder.
    """
    if engine == "rtl":
        return Design(chip_verilog(chip))
    if engine == CELLS:
        return cells_design(folder / CELLS)
    if engine.startswith("netlist-"):
        return _netlist_design(family_named(engine.removeprefix("netlist-")), folder)
    if engine.startswith("cocotb-"):
        return Design((folder / "rtl" / "chip.v").read_text())
    raise SpikeletError(f"engine {engine} runs no Verilog, so there is no waveform of it")
