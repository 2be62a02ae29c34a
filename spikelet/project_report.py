"""The HTML page of a project folder: all in it that belongs to its compiled network."""

from collections.abc import Mapping
from pathlib import Path

from spikelet.boards import board_named
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.artefact import RECORD, Artefact, OutOfDate
from spikelet.description.errors import SpikeletError
from spikelet.description.files import PARTIAL
from spikelet.fpga.flow import FpgaReport
from spikelet.images.kinds import image_kind
from spikelet.locked import writing
from spikelet.project_records import changed_source, compiled_records, old_runs, present_digests
from spikelet.reports.report import write_report
from spikelet.runs.drift import drift
from spikelet.runs.learn import read_learned
from spikelet.runs.learning_warnings import learning_warnings
from spikelet.runs.level_files import read_proofs
from spikelet.runs.throughput import throughput
from spikelet.runs.verification_files import read_verification
from spikelet.targets import kept_builds

__all__ = ["project_report"]


def project_report(
    folder: Path, compiled: CompiledNetwork, *, sample: int, state: str, command: str
) -> tuple[Path, list[OutOfDate]]:
    """Write the page; see :meth:`spikelet.project.Project.report`.

    Parameters
    ----------
    folder : Path
        Of the project.
    compiled : CompiledNetwork
        Of it.
    sample, state, command
        Which sample and state are shown, and the command that is being carried out.
    """
    present = present_digests(folder, compiled)
    kept = read_verification(folder / "verification", present)
    builds, old_builds = kept_builds(folder, present)
    proofs, old_proofs = read_proofs(folder / "levels", present)
    learned, learned_made, old_learned = read_learned(folder / "learned", compiled)
    old = [*changed_source(folder), *kept.out_of_date, *old_runs(folder, present), *old_builds]
    old += [*old_proofs, *old_learned]
    made = [*compiled_records(folder), *kept.made, *(build.made for build in builds)]
    made += learned_made
    with writing(folder):
        page = write_report(
            folder / "report",
            compiled=compiled,
            samples=kept.samples,
            verification=kept.verification,
            trace=kept.trace,
            fpga=builds,
            proofs=proofs,
            learned=learned,
            warnings=learning_warnings(learned) if learned else (),
            sample=sample,
            state=state,
            made=[*made, Artefact("report", {}, command=command)],
            out_of_date=old,
            drifts=drift(compiled, kept.samples) if kept.samples else (),
            throughput=throughput(compiled, kept.samples) if kept.samples else None,
            files=_files(folder, present),
            guidance={build.board: _look(build) for build in builds if build.board},
        )
    return page, old


def _files(folder: Path, present: Mapping[str, str]) -> list[Path]:
    """Return the files of what belongs to the network, relative to the report's folder."""
    found = []
    for record in sorted(folder.rglob(RECORD)):
        made = Artefact.load(record.parent)
        place = record.parent.relative_to(folder)
        written = place.parts[:1] != ("report",) and not record.parent.name.endswith(PARTIAL)
        if made and written and not made.out_of_date(present):
            found += [place / name for name in made.files]
    return [Path("..", path) for path in found if (folder / path).exists()]


def _look(build: FpgaReport) -> list[str]:
    """Return what to look at then; nothing for a board or image that is not known here."""
    try:
        lines = image_kind(build.image or None).guidance(board_named(build.board))
    except SpikeletError:
        return []
    return [line.strip() for line in lines]
