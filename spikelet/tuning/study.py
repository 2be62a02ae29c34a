"""The trials of a tuning, kept after each, so that it can go on when it was interrupted."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from spikelet.description.artefact import Artefact
from spikelet.description.errors import MALFORMED, SpikeletError
from spikelet.tuning.space import Space
from spikelet.tuning.trial import Trial

__all__ = ["PICTURE", "TRIALS", "Study"]

PICTURE = "front.png"

TRIALS = "trials"
"""Kind of the record."""

_FILE = "trials.json"
_ANEW = "leave --resume out, which begins anew"


@dataclass(frozen=True)
class Study:
    """The trials in a folder.

    Parameters
    ----------
    folder : Path
    making : Artefact
        What each trial, and the order of them, depends on.
    """

    folder: Path
    making: Artefact

    def trials(self, space: Space) -> list[Trial]:
        """Return the trials that are there.

        SpikeletError, saying what differs or is damaged, unless they are of this tuning.
        """
        found = Artefact.load(self.folder)
        if found is None:
            raise SpikeletError(
                f"there is nothing to resume in {self.folder}: no trial has ended there",
                remedy="leave --resume out",
            )
        if not found.same_making(self.making):
            old = found.out_of_date(self.making.inputs, self.making.tools)
            reasons = "; ".join(old.reasons) if old else f"{found.options} is {self.making.options}"
            raise SpikeletError(
                f"{self.folder} holds trials of another tuning: {reasons}",
                remedy=f"resume with the same files and options, or {_ANEW}",
            )
        _, files = Artefact.read(self.folder, (_FILE,), kind=TRIALS, remedy=_ANEW)
        try:
            trials = [
                Trial(**{**fields, "problems": tuple(fields["problems"])})
                for fields in json.loads(files[_FILE])
            ]
        except MALFORMED as error:
            raise SpikeletError(
                f"{self.folder / _FILE} does not hold trials: {error!r}", remedy=_ANEW
            ) from error
        if any(trial.point.keys() != space.ends.keys() for trial in trials):
            raise SpikeletError(f"{self.folder / _FILE}: trials choose other things", remedy=_ANEW)
        return trials

    def keep(self, trials: Sequence[Trial], picture: bytes | None = None) -> None:
        """Keep the trials, and their picture, in the place of those before.

        SpikeletError if the folder cannot be written.
        """
        text = json.dumps([asdict(trial) for trial in trials], indent=1) + "\n"
        drawn = {} if picture is None else {PICTURE: picture}
        self.making.write(self.folder, {_FILE: text.encode(), **drawn})
