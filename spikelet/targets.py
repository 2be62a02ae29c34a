"""A chip's files, what it can be built for, and the builds that a project folder holds."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from spikelet.boards import BOARDS, board_named
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.artefact import Artefact, OutOfDate, digest_of
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError
from spikelet.fpga.board_top import BoardTop
from spikelet.fpga.families import device_named, devices, fusesoc_arch
from spikelet.fpga.families.family import Device
from spikelet.fpga.fit import FitReport, check_fit, require_fit
from spikelet.fpga.flow import REPORT, FpgaReport, build_bitstream, build_out_of_context
from spikelet.fpga.memories import Memory
from spikelet.fpga.self_test import SelfTest
from spikelet.fpga.self_test_image import image_memories, program_memory, program_words
from spikelet.locked import writing
from spikelet.rtl_gen.chip import Chip
from spikelet.rtl_gen.emit import to_verilog, write_chip
from spikelet.runs.hardware import chip_verilog
from spikelet.runs.recorded_run import record_run
from spikelet.runs.self_test_run import stored_samples
from spikelet.runs.wanted import CHIP_VERILOG
from spikelet.samples.samples import Samples

__all__ = [
    "block_ram_of",
    "build_for",
    "chip_files",
    "kept_builds",
    "require_target",
    "target_fit",
    "target_named",
    "targets",
]


_LEARNED_FROM = 20
"""Samples that an image stores of a network that learns, unless it is told."""


def targets() -> tuple[str, ...]:
    """Return what a chip can be built for: boards, and devices out of context."""
    return (*BOARDS, *devices())


def target_named(name: str) -> str:
    """Return the target called ``name``, in any case; SpikeletError lists the names otherwise."""
    for target in targets():
        if target.casefold() == name.casefold():
            return target
    raise SpikeletError(f"target must be one of {', '.join(targets())}, not {name!r}")


def block_ram_of(target: str) -> int:
    """Return the bits of a block RAM of a target's device, down to a power of two."""
    device = device_named(target if target in devices() else board_named(target).device)
    return 1 << device.family.resource("block_rams").bits.bit_length() >> 1


def require_target(compiled: CompiledNetwork, target: str) -> FitReport:
    """Return the fit check for a target of :func:`targets`; SpikeletError if it does not fit.

    For a board the program ROM of its image counts too, but not yet what a sample adds: the ROM of
    its events, and what it is compared with. :func:`build_for` counts all.
    """
    return require_fit(*_fitted(compiled, target))


def target_fit(compiled: CompiledNetwork, target: str) -> FitReport:
    """Return the fit check for a target of :func:`targets`, as :func:`require_target` does it."""
    return check_fit(*_fitted(compiled, target))


def _fitted(
    compiled: CompiledNetwork, target: str
) -> tuple[ChipParams, Device, tuple[Memory, ...] | None]:
    """Return what is fitted: chip, device, and the memories of a board's image beside it."""
    if target in devices():
        return compiled.chip, device_named(target), None
    image = (program_memory(program_words(compiled.image.program(compiled.chip))),)
    return compiled.chip, device_named(board_named(target).device), image


def build_for(
    target: str,
    compiled: CompiledNetwork,
    project: Path,
    samples: Samples | None,
    *,
    sample: int = 0,
    count: int | None = None,
    seeds: Sequence[int] = (1, 2, 3, 4),
    target_mhz: float = 100.0,
    command: str = "",
    progress: Callable[[str], None] = lambda line: None,
) -> FpgaReport:
    """Build a self-test bitstream for a board, or the bare chip for a device.

    Parameters
    ----------
    target : str
        Of :func:`targets`.
    compiled : CompiledNetwork
    project : Path
        The project folder, which is locked; the result goes to ``fpga/TARGET`` in it.
    samples : Samples or None
        Needed for a board: what :func:`stored_samples` makes of ``count`` of them, from number
        ``sample`` on, is all that the image knows of the network's work.
    count : int or None
        None: 1, or of a network that learns 20, as far as there are so many.
    seeds : sequence of int
        Tried until one meets the board's clock, or ``target_mhz`` in a bare device.
    """
    folder = project / "fpga" / target
    options: dict[str, Any] = {"seeds": seeds, "command": command, "progress": progress}
    device = device_named(target if target in devices() else board_named(target).device)
    if target in devices():
        require_fit(compiled.chip, device)
        chip = chip_verilog(compiled.chip)
        options |= {"target_mhz": target_mhz, "enough_mhz": target_mhz}
        options["inputs"] = _inputs(compiled)
        with writing(project):
            return build_out_of_context(chip, "chip", device, folder, **options)
    if samples is None:
        raise SpikeletError(
            f"the image for {target} stores a sample, and none was given",
            remedy="give a samples file",
        )
    left = len(samples.spikes) - sample
    count = count or (max(1, min(_LEARNED_FROM, left)) if compiled.learns else 1)
    stored = stored_samples(compiled, samples, sample, count)
    require_fit(compiled.chip, device, image_memories(compiled.chip, stored))
    inputs = _inputs(compiled)
    inputs |= {name: compiled.digests[name] for name in ("chip contents", "chip mapping")}
    inputs["stored samples"] = digest_of(samples.spikes[sample : sample + count])
    board = board_named(target)
    top = BoardTop(SelfTest(Chip(compiled.chip), compiled.chip, stored), board)
    with writing(project):
        verilog = to_verilog(top, "top")
        return build_bitstream(verilog, "top", board, folder, inputs=inputs, **options)


def _inputs(compiled: CompiledNetwork) -> dict[str, str]:
    """Return what every build is made of."""
    verilog = chip_verilog(compiled.chip)
    return {"chip structure": compiled.chip.digest, CHIP_VERILOG: digest_of(verilog)}


def kept_builds(
    project: Path, present: Mapping[str, str]
) -> tuple[list[FpgaReport], list[OutOfDate]]:
    """Return the builds in a project folder that were made of what is there, and the others."""
    builds, old = [], []
    for path in sorted((project / "fpga").glob(f"*/{REPORT}")):
        try:
            report = FpgaReport.load(path.parent)
        except SpikeletError as error:
            made = Artefact.load(path.parent)
            command = made.command if made else ""
            what = f"FPGA build for {path.parent.name}"
            old.append(OutOfDate(what, (str(error.args[0]),), command))
            continue
        tools = device_named(report.device).family.tool_versions()
        found = report.made.out_of_date(present, tools)
        if found:
            old.append(found)
        else:
            builds.append(report)
    return builds, old


def chip_files(
    compiled: CompiledNetwork, calibration: Samples | None, top: str
) -> tuple[str, dict[str, bytes]]:
    """Return the chip's Verilog, and the contents of all its files by name."""
    recorded = record_run(compiled, calibration.spikes if calibration else None, top)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        verilog = write_chip(
            *(compiled.chip, compiled.image, compiled.name, folder),
            top=top,
            run=recorded,
            arch=fusesoc_arch(compiled.chip),
        )
        return verilog, {path.name: path.read_bytes() for path in folder.iterdir()}
