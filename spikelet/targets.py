"""A chip's files, what it can be built for, and the builds that a project folder holds."""

import math
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from spikelet.boards import BOARDS, board_named
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.compiler.interface import INTERFACE_FILE, interface
from spikelet.description.artefact import Artefact, OutOfDate, digest_of
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError
from spikelet.fpga.families import device_named, devices, fusesoc_arch
from spikelet.fpga.families.family import Device
from spikelet.fpga.fit import Beside, FitReport, check_fit, require_fit
from spikelet.fpga.flow import REPORT, FpgaReport, build_bitstream, build_out_of_context
from spikelet.fpga.patch import patch_bitstream
from spikelet.fpga.power_on import with_clock
from spikelet.images.image import ImageOptions
from spikelet.images.kinds import image_kind
from spikelet.locked import writing
from spikelet.rtl_gen.bus_chip import NATIVE
from spikelet.rtl_gen.emit import write_chip
from spikelet.runs.hardware import chip_verilog
from spikelet.runs.levels import BuiltBoard
from spikelet.runs.recorded_run import record_run
from spikelet.runs.wanted import CHIP_VERILOG
from spikelet.samples.samples import Samples

__all__ = [
    "block_ram_of",
    "build_for",
    "build_place",
    "built_board",
    "chip_files",
    "holder",
    "kept_builds",
    "patch_for",
    "require_target",
    "target_fit",
    "target_named",
    "targets",
]

_MOST_STORED = 64
"""Samples of an image that are looked for."""


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


def require_target(compiled: CompiledNetwork, target: str, image: str | None = None) -> FitReport:
    """Return the fit check for a target of :func:`targets`; SpikeletError if it does not fit.

    For a board its image counts too, but not yet what options of it add, such as samples that a
    self-test stores. :func:`build_for` counts all.
    """
    return require_fit(*_fitted(compiled, target, image))


def holder(targets: Sequence[str], image: str | None = None) -> Callable[[CompiledNetwork], bool]:
    """Return what says whether all of these targets hold a network; without any, all is held."""
    named = [target_named(target) for target in targets]
    return lambda compiled: all(target_fit(compiled, name, image).fits for name in named)


def target_fit(compiled: CompiledNetwork, target: str, image: str | None = None) -> FitReport:
    """Return the fit check for a target of :func:`targets`, as :func:`require_target` does it."""
    return check_fit(*_fitted(compiled, target, image))


def _fitted(
    compiled: CompiledNetwork, target: str, image: str | None
) -> tuple[ChipParams, Device, Beside | None]:
    """Return what is fitted: chip, device, and a board's image beside it."""
    if target in devices():
        return compiled.chip, device_named(target), None
    beside = image_kind(image).beside(compiled)
    return compiled.chip, device_named(board_named(target).device), beside


def build_for(
    target: str,
    compiled: CompiledNetwork,
    project: Path,
    samples: Samples | None,
    *,
    image: str | None = None,
    sample: int = 0,
    count: int | None = None,
    baud: int | None = None,
    ticks: int | None = None,
    tick_us: float | None = None,
    clock_mhz: float | None = None,
    seeds: Sequence[int] = (1, 2, 3, 4),
    all_seeds: bool = False,
    target_mhz: float = 100.0,
    command: str = "",
    progress: Callable[[str], None] = lambda line: None,
) -> FpgaReport:
    """Build the bitstream of an image for a board, or the bare chip for a device.

    Parameters
    ----------
    target : str
        Of :func:`targets`.
    compiled : CompiledNetwork
    project : Path
        The project folder, which is locked; the result goes to :func:`build_place` in it.
    samples : Samples or None
        Of which a self-test stores some.
    image : str or None
        Name of a kind in ``spikelet/images``; None: the self-test.
    sample, count, baud, ticks, tick_us
        As in :class:`ImageOptions`.
    clock_mhz : float or None
        Frequency of the chip on a board, or as near below as the PLL comes; None: the board's own.
    seeds : sequence of int
        Tried until one meets the chip's clock, or ``target_mhz`` in a bare device.
    all_seeds : bool
        Try all; on a board each must meet its clock.
    """
    folder = project / build_place(target, image)
    tried: dict[str, Any] = {"seeds": seeds, "command": command, "progress": progress}
    options = ImageOptions(samples, sample, count, baud, ticks, tick_us)
    if target in devices():
        device = device_named(target)
        if image is not None:
            raise SpikeletError(
                f"{target} is a bare device, which has no image",
                remedy="leave --image out, or build for a board",
            )
        if clock_mhz is not None:
            raise SpikeletError(
                f"{target} is a bare device, which has no clock",
                remedy="leave --clock out, or build for a board",
            )
        require_fit(compiled.chip, device)
        chip = chip_verilog(compiled.chip)
        tried |= {"target_mhz": target_mhz, "enough_mhz": math.inf if all_seeds else target_mhz}
        tried["inputs"] = _inputs(compiled)
        with writing(project):
            return build_out_of_context(chip, "chip", device, folder, **tried)
    board, kind = board_named(target), image_kind(image)
    if clock_mhz is not None:
        board = with_clock(board, round(clock_mhz * 1e6))
    kind.check(options)
    made = kind.make(compiled, board, options)
    require_fit(compiled.chip, device_named(board.device), made.beside)
    tried |= {"inputs": {**_inputs(compiled), **made.inputs}, "ports": made.ports}
    tried |= {"all_seeds": all_seeds, "image": kind.name, "settings": made.settings}
    tried |= {"files": made.files}
    with writing(project):
        return build_bitstream(made.verilog(), "top", board, folder, **tried)


def patch_for(
    target: str,
    compiled: CompiledNetwork,
    project: Path,
    samples: Samples | None,
    built: Path,
    *,
    image: str | None = None,
    sample: int = 0,
    count: int | None = None,
    command: str = "",
    progress: Callable[[str], None] = lambda line: None,
) -> FpgaReport:
    """Put a network into the bitstream of another of the same structure, without place and route.

    Parameters
    ----------
    target : str
        A board.
    compiled : CompiledNetwork
    project : Path
        The project folder, which is locked; the result goes to :func:`build_place` in it.
    samples, image, sample, count
        As for :func:`build_for`.
    built : Path
        Of the other network's build.

    Raises
    ------
    SpikeletError
        If the image stores nothing of a network, or the build cannot hold this one; see
        :func:`patch_bitstream`.
    """
    kind = image_kind(image)
    if not kind.stores_samples:
        raise SpikeletError(
            f"image {kind.name} stores nothing of a network: its weights are loaded",
            remedy="load them into the running chip (spikelet load)",
        )
    report = FpgaReport.load(built)
    there = report.made.inputs.get("chip structure")
    if there != compiled.chip.digest:
        raise SpikeletError(
            f"{built} is of structure {str(there)[:8]}, and network {compiled.name!r} of "
            f"{compiled.chip.digest[:8]}",
            remedy="compile the network like the one that was built (compile --like), or build it",
        )
    board = with_clock(board_named(target), round(report.target_mhz * 1e6))
    options = ImageOptions(samples, sample, count, cycle_limit=report.settings.get("cycle_limit"))
    made = kind.make(compiled, board, options)
    inputs = {**_inputs(compiled), **made.inputs}
    with writing(project):
        return patch_bitstream(
            built,
            project / build_place(target, image),
            made.verilog(),
            inputs=inputs,
            command=command,
            progress=progress,
        )


def build_place(target: str, image: str | None) -> Path:
    """Return where in a project folder a build is kept."""
    usual = image is None or image_kind(image) is image_kind(None)
    return Path("fpga") / (target if usual else f"{target}-{image}")


def built_board(
    target: str, compiled: CompiledNetwork, project: Path, samples: Samples, sample: int = 0
) -> tuple[BuiltBoard, int]:
    """Return a board's self-test as it was built, and how many samples it stores.

    Parameters
    ----------
    target : str
        A board.
    compiled : CompiledNetwork
    project : Path
    samples : Samples
        Among which are those that the image stores.
    sample : int
        The first of those.

    Raises
    ------
    SpikeletError
        If there is no build, or it was not made of this network, these samples and this version.
    """
    board, folder = board_named(target), project / build_place(target, None)
    report = FpgaReport.load(folder)
    board = with_clock(board, round(report.target_mhz * 1e6))
    again = f"build it: spikelet build {project} {target} --samples FILE"
    stored = report.made.inputs.get("stored samples")
    left = len(samples.spikes) - sample
    counts = range(1, min(left, _MOST_STORED) + 1)
    found = (n for n in counts if digest_of(samples.spikes[sample : sample + n]) == stored)
    count = next(found, 0)
    if not count:
        raise SpikeletError(
            f"the image in {folder} does not store sample {sample} of these samples, and up to "
            f"{_MOST_STORED} from there on",
            remedy=f"say which is the first (--sample), give the samples that it was built with, "
            f"or {again}",
        )
    image = image_kind(None).make(compiled, board, ImageOptions(samples, sample, count))
    if digest_of(image.verilog()) != report.made.inputs.get("Verilog"):
        raise SpikeletError(
            f"the image in {folder} was made of another network, or by another version of "
            "Spikelet, than there is now",
            remedy=again,
        )
    return BuiltBoard(folder, board), count


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
    compiled: CompiledNetwork, calibration: Samples | None, top: str, ports: str = NATIVE
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
            ports=ports,
        )
        files = {path.name: path.read_bytes() for path in folder.iterdir()}
        return verilog, {**files, INTERFACE_FILE: interface(compiled).encode()}
