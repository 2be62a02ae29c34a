"""Verifications on disk: an artefact for each engine, so that each can be out of date by itself.

==================  ===============================================================
``golden/``         golden's result, the float network's, the agreement of layers; of
                    the first samples also ``recording.npz`` and ``samples.npz``
``ENGINE/``         ``result.json``: what the engine did, compared with golden
==================  ===============================================================
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy.typing as npt

from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.array_files import packed_arrays
from spikelet.description.artefact import Artefact, OutOfDate, digests_of_files
from spikelet.description.errors import MALFORMED, SpikeletError
from spikelet.description.run.recording import Recording
from spikelet.network.network import MOST_LEVELS
from spikelet.network.origin import Origin
from spikelet.runs.agreement import LayerAgreement
from spikelet.runs.engines import engine_tools, engines
from spikelet.runs.recorded import Recorded
from spikelet.runs.verification import EngineResult, Verification
from spikelet.runs.wanted import MADE_OF
from spikelet.samples.samples import Samples, Score, load_samples

__all__ = ["KeptVerification", "read_verification", "write_verification"]

_RESULT, _TRACE, _SAMPLES = "result.json", "recording.npz", "samples.npz"
_KEPT_SAMPLES = 100
"""Samples of which golden's run is kept for the report."""

_AGAIN = "run spikelet verify again"


@dataclass
class KeptVerification:
    """What of a folder's verification belongs to the network as it is now.

    Parameters
    ----------
    verification : Verification or None
    trace : Recording or None
        Golden's, of the first samples.
    samples : Samples or None
        The first samples.
    made : list of Artefact
        The records of what is used.
    out_of_date : list of OutOfDate
        What is not used.
    """

    verification: Verification | None = None
    trace: Recording | None = None
    samples: Samples | None = None
    made: list[Artefact] = field(default_factory=list)
    out_of_date: list[OutOfDate] = field(default_factory=list)


def write_verification(
    folder: Path,
    compiled: CompiledNetwork,
    samples: Samples,
    verification: Verification,
    command: str = "",
) -> None:
    """Keep a verification; results of other engines in the folder stay as they are.

    Parameters
    ----------
    folder : Path
    compiled : CompiledNetwork
    samples : Samples
        All that were given.
    verification : Verification
    command : str
        The shell command that makes it again.

    Raises
    ------
    SpikeletError
        If the folder cannot be written.
    """
    files, sources = digests_of_files({"samples file": samples.path})
    for result in verification.engines:
        fields: dict[str, Any] = {"engine": result.to_dict()}
        contents: dict[str, bytes] = {}
        if result.engine == "golden":
            fields["structure"] = verification.structure
            fields["float"] = verification.float_score and asdict(verification.float_score)
            fields["layers"] = [asdict(layer) for layer in verification.layers]
            fields["outputs"] = verification.outputs
            fields["recorded"] = verification.recorded and verification.recorded.to_dict()
            fields["origin"] = verification.origin and verification.origin.to_dict()
            fields["decode"] = verification.decode
            trace = verification.runs["golden"].recording
            contents[_TRACE] = trace.first(_KEPT_SAMPLES).to_bytes()
            contents[_SAMPLES] = _packed(samples.first(_KEPT_SAMPLES))
        contents[_RESULT] = json.dumps(fields, indent=1).encode()
        made_of = verification.runs[result.engine].recording.notes.get(MADE_OF, {})
        inputs = {**compiled.digests, "samples": samples.digest, **files, **made_of}
        Artefact(
            _kind(result.engine),
            inputs,
            options={
                "samples": result.samples,
                "ticks": result.ticks,
                **({"early_stop": True} if result.early_stop else {}),
            },
            tools=engine_tools(result.engine),
            command=command,
            sources=sources,
        ).write(folder / result.engine, contents)


def read_verification(folder: Path, present: Mapping[str, str]) -> KeptVerification:
    """Return what in a folder was made of what is there now, and name the rest.

    Parameters
    ----------
    folder : Path
    present : dict of str to str
        The digests that are valid now, by role.
    """
    found = KeptVerification()
    golden = _fields(folder, "golden", present, found)
    others = [name for name in engines() if name != "golden"]
    if golden is None:
        for engine in others:  # named if they are out of date; useless without golden's
            _fields(folder, engine, present, found)
        found.made.clear()
        return found
    present = {**present, "samples": found.made[0].inputs["samples"]}
    results = [golden, *(_fields(folder, engine, present, found) for engine in others)]
    try:
        found.verification = Verification(
            golden["structure"],
            golden["float"] and Score(**golden["float"]),
            [EngineResult.from_dict(result["engine"]) for result in results if result],
            [
                LayerAgreement(**{**layer, "first": layer["first"] and tuple(layer["first"])})
                for layer in golden["layers"]
            ],
            golden["outputs"],
            decode=golden["decode"],
            recorded=golden["recorded"] and Recorded.from_dict(golden["recorded"]),
            origin=golden["origin"] and Origin.from_dict(golden["origin"]),
        )
    except MALFORMED as error:
        raise SpikeletError(
            f"{folder} does not hold a verification: {error!r}", remedy=_AGAIN
        ) from error
    found.trace = Recording.load(folder / "golden" / _TRACE)
    found.samples = load_samples(folder / "golden" / _SAMPLES, input_levels=MOST_LEVELS)
    return found


def _fields(
    folder: Path, engine: str, present: Mapping[str, str], found: KeptVerification
) -> dict[str, Any] | None:
    """Return an engine's result if there is one of what is there now, and note which it is."""
    here = folder / engine
    recorded = Artefact.load(here)
    if recorded is None:
        return None
    names = (_RESULT, _TRACE, _SAMPLES) if engine == "golden" else (_RESULT,)
    try:
        made, contents = Artefact.read(here, names, kind=_kind(engine), remedy=_AGAIN)
    except SpikeletError as error:
        damage = (str(error.args[0]),)
        found.out_of_date.append(OutOfDate(_kind(engine), damage, recorded.command))
        return None
    old = made.out_of_date(present, engine_tools(engine))
    if old is not None:
        found.out_of_date.append(old)
        return None
    found.made.append(made)
    fields: dict[str, Any] = json.loads(contents[_RESULT])
    return fields


def _kind(engine: str) -> str:
    return "golden run" if engine == "golden" else f"verification of {engine}"


def _packed(samples: Samples) -> bytes:
    arrays: dict[str, npt.NDArray[Any]] = {"spikes": samples.spikes}
    if samples.input_shape is not None:
        arrays["spikes"] = samples.spikes.reshape(*samples.spikes.shape[:2], *samples.input_shape)
    for name in ("labels", "reward", "lengths"):
        if getattr(samples, name) is not None:
            arrays[name] = getattr(samples, name)
    return packed_arrays(arrays)
