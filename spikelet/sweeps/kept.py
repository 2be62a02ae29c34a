"""The results of a sweep in a folder, a file each, so that it goes on after an interruption."""

import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from spikelet.description.artefact import Artefact, digest_of
from spikelet.description.errors import MALFORMED, SpikeletError, SpikeletWarning, file_error
from spikelet.description.files import AtomicFile
from spikelet.sweeps.axis import Value
from spikelet.sweeps.bench import Bench, Configuration, Point

__all__ = ["AXES_FILE", "PICTURE", "SWEEP", "TABLE", "Kept"]

SWEEP = "sweep"
"""Kind of the record."""

AXES_FILE, TABLE, PICTURE = "axes.json", "table.json", "front.png"
_POINTS = "points"


@dataclass(frozen=True)
class Kept:
    """The results in a folder.

    ``points/DIGEST.json`` is the result of one configuration, by the digest of all that it depends
    on; it appears whole or not at all. ``table.json`` and ``front.png`` are written at the end.

    Parameters
    ----------
    folder : Path
    bench : Bench
    command : str
        For the record.
    """

    folder: Path
    bench: Bench
    command: str = ""

    @property
    def _making(self) -> Artefact:
        bench = self.bench
        return Artefact(SWEEP, bench.inputs, bench.options, dict(bench.versions), self.command)

    def check(self) -> None:
        """Raise SpikeletError if the folder holds another sweep, or something else."""
        found = Artefact.load(self.folder)
        anew = "take another folder (-o), or remove this one"
        if found is None:
            if self.folder.is_dir() and (self.folder / _POINTS).is_dir():
                raise SpikeletError(f"{self.folder} holds results without a record", remedy=anew)
            return
        if found.kind != SWEEP:
            raise SpikeletError(
                f"{self.folder} holds no sweep but: {found.kind}", remedy="take another folder (-o)"
            )
        if not found.same_making(self._making):
            old = found.out_of_date(self._making.inputs, self._making.tools)
            reasons = (
                "; ".join(old.reasons) if old else f"{found.options} is {self._making.options}"
            )
            raise SpikeletError(
                f"{self.folder} holds results of another sweep: {reasons}",
                remedy=f"go on with the same network, samples, measures and versions, or {anew}",
            )

    def begin(self, axes: Mapping[str, Sequence[Value]]) -> None:
        """Leave the record of a sweep; SpikeletError if the folder cannot be written."""
        self._making.write(self.folder, {AXES_FILE: _json(dict(axes))})

    def end(
        self, axes: Mapping[str, Sequence[Value]], points: Sequence[Point], picture: bytes | None
    ) -> None:
        """Write the table of all results, in the order of the axes, and the picture."""
        table = _json([point.to_dict() for point in points])
        drawn = {} if picture is None else {PICTURE: picture}
        self._making.write(self.folder, {AXES_FILE: _json(dict(axes)), TABLE: table, **drawn})

    def point(self, configuration: Configuration) -> Point | None:
        """Return the result of a configuration; None if there is none that is whole."""
        path = self._path(configuration)
        try:
            fields = json.loads(path.read_bytes())
            sealed = fields.pop("digest")
            point = Point(**fields)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise file_error(f"{path} cannot be read", error) from error
        except MALFORMED:
            sealed, point = "", Point({}, {})
        if sealed != digest_of(_json(point.to_dict())) or point.configuration != configuration:
            warnings.warn(f"{path} is damaged: measured again", SpikeletWarning, stacklevel=2)
            return None
        return point

    def keep(self, point: Point) -> None:
        """Keep a result; SpikeletError, with nothing half-written, if the disk is full."""
        fields = point.to_dict()
        with AtomicFile(self._path(point.configuration)) as file:
            file.write(_json({**fields, "digest": digest_of(_json(fields))}))

    def _path(self, configuration: Configuration) -> Path:
        return self.folder / _POINTS / f"{self.bench.key(configuration)}.json"


def _json(value: object) -> bytes:
    return json.dumps(value, indent=1).encode() + b"\n"
