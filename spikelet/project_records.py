"""What the parts of a project folder were made of, and which of them is out of date."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.artefact import Artefact, OutOfDate
from spikelet.runs.engines import engine_tools
from spikelet.runs.level_files import read_proofs
from spikelet.runs.verification_files import read_verification
from spikelet.runs.wanted import CHIP_VERILOG, EMITTED_VERILOG
from spikelet.targets import kept_builds

__all__ = [
    "changed_source",
    "compiled_records",
    "network_file",
    "old_parts",
    "old_runs",
    "present_digests",
]


def compiled_records(folder: Path) -> list[Artefact]:
    """Return the record of the compiled network, if there is one."""
    made = Artefact.load(folder / "compiled")
    return [made] if made else []


def network_file(folder: Path) -> Path | None:
    """Return the file that the network was compiled from, unless it was changed since."""
    made = None if changed_source(folder) else next(iter(compiled_records(folder)), None)
    return Path(made.sources["network file"]) if made and "network file" in made.sources else None


def changed_source(folder: Path) -> list[OutOfDate]:
    """Return whether the network's file was changed since it was compiled."""
    return [old for made in compiled_records(folder) if (old := made.out_of_date({}))]


def present_digests(folder: Path, compiled: CompiledNetwork) -> Mapping[str, str]:
    """Return the digests of what is compiled now, by role."""
    rtl = Artefact.load(folder / "rtl")
    verilogs = (CHIP_VERILOG, EMITTED_VERILOG)
    if not rtl or rtl.inputs.get("chip structure") != compiled.chip.digest:
        return compiled.digests
    return {**{role: rtl.inputs[role] for role in verilogs}, **compiled.digests}


def old_runs(folder: Path, present: Mapping[str, str]) -> Iterator[OutOfDate]:
    """Yield the runs that were made of something else than what is there now."""
    for place in sorted((folder / "runs").glob("*/")):
        made = Artefact.load(place)
        old = made and made.out_of_date(present, engine_tools(place.name))
        if old:
            yield old


def old_parts(folder: Path, compiled: CompiledNetwork) -> list[OutOfDate]:
    """Return all that was made of something else than what is there now."""
    present = present_digests(folder, compiled)
    kept = read_verification(folder / "verification", present)
    _, old = kept_builds(folder, present)
    _, proofs = read_proofs(folder / "levels", present)
    changed, runs = changed_source(folder), old_runs(folder, present)
    return [*changed, *kept.out_of_date, *runs, *old, *proofs]
