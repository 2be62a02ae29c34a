"""What a verification found, engine by engine."""

from dataclasses import asdict, dataclass, field, replace
from typing import Any

from spikelet.description.summary import summary
from spikelet.network.origin import Origin
from spikelet.runs.agreement import (
    LayerAgreement,
    agreement_warnings,
    output_warnings,
)
from spikelet.runs.early_stop import EarlyStop
from spikelet.runs.recorded import Recorded, recorded_warnings
from spikelet.runs.run_result import Run
from spikelet.samples.samples import Score

__all__ = ["EngineResult", "Verification"]


@dataclass(frozen=True)
class EngineResult:
    """What one engine did, compared with golden.

    Parameters
    ----------
    engine : str
    samples, ticks : int
        Samples run, and ticks of each.
    compared : list of str
        What was compared with golden, bit for bit; empty for golden itself.
    difference : str or None
        The first difference from golden, in words; None if there is none.
    score : Score or None
        How the samples were classified; None for a network whose outputs are not classes.
    cycles : float or None
        Mean clock cycles of a sample, from the chip's own counter; for golden predicted.
    synaptic_operations : float
        Mean SOPs of a sample.
    seconds : float
        Wall-clock time of the simulation, building the engine included.
    silent : list of str
        Layers that never spiked in these samples.
    spiked : bool
        Whether any neuron did, or the potential of one that is read moved.
    early_stop : EarlyStop or None
        How far samples were run that stop at their first output spike.
    """

    engine: str
    samples: int
    ticks: int
    compared: list[str]
    difference: str | None
    score: Score | None
    cycles: float | None
    synaptic_operations: float
    seconds: float
    silent: list[str]
    spiked: bool
    early_stop: EarlyStop | None = None

    @property
    def mean_ticks(self) -> float:
        """Ticks that the chip ran for a sample, mean over the samples."""
        return self.early_stop.mean_ticks if self.early_stop else self.ticks

    @property
    def equal(self) -> bool:
        """Whether nothing differed from golden, and there was something that could."""
        return self.difference is None and self.spiked

    @property
    def verdict(self) -> str:
        """The comparison with golden, in words."""
        if self.difference is not None:
            return self.difference
        if not self.spiked:
            return "nothing was compared: no neuron spiked in any sample"
        words = f"every bit equal of {', '.join(self.compared)}"
        return f"{words}; {self.silence}" if self.silent else words

    @property
    def silence(self) -> str:
        """Which layers never spiked, in words; empty if all did."""
        names = ", ".join(self.silent)
        return f"layer{'s'[: len(self.silent) > 1]} {names} never spiked" if self.silent else ""

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-compatible values, with what follows from the fields."""
        accuracy = None if self.score is None else self.score.accuracy
        stop = {"early_stop": self.early_stop.to_dict()} if self.early_stop else {}
        own = asdict(replace(self, early_stop=None))
        del own["early_stop"]
        return {**own, "equal": self.equal, "accuracy": accuracy, **stop}

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> "EngineResult":
        """Inverse of :meth:`to_dict`; KeyError or TypeError for other fields."""
        names = [name for name in cls.__dataclass_fields__ if name != "early_stop"]
        own, stop = {name: fields[name] for name in names}, fields.get("early_stop")
        own["score"] = None if own["score"] is None else Score(**own["score"])
        return cls(**own, early_stop=None if stop is None else EarlyStop.from_dict(stop))


@dataclass(frozen=True)
class Verification:
    """Results of all engines on one network.

    Parameters
    ----------
    structure : str
        Digest of the chip.
    float_score : Score or None
        Of the float network on golden's samples.
    engines : list of EngineResult
        Golden first.
    layers : list of LayerAgreement
        Float against golden's spikes.
    outputs : list of int
        Golden's spikes of each output line, over all samples.
    runs : dict of Run
        By engine; none of a verification that was kept.
    decode : str
        The decoder of the classes.
    recorded : Recorded or None
        The float network against what its framework recorded; None if nothing was.
    origin : Origin or None
        How the network's file was read.
    """

    __repr__ = summary

    structure: str
    float_score: Score | None
    engines: list[EngineResult]
    layers: list[LayerAgreement]
    outputs: list[int]
    runs: dict[str, Run] = field(default_factory=dict, repr=False)
    decode: str = "count"
    recorded: Recorded | None = None
    origin: Origin | None = None

    @property
    def equal(self) -> bool:
        """Whether every engine equals golden, and something was compared."""
        return all(engine.equal for engine in self.engines[1:])

    @property
    def warnings(self) -> list[str]:
        """What looks wrong though all may be equal, each with numbers and a remedy."""
        classes = self.float_score is not None
        spread = output_warnings(self.outputs) if classes else ()
        doubtful = recorded_warnings(self.origin, self.recorded)
        return [*doubtful, *agreement_warnings(self.layers), *spread]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-compatible values, with what follows from the fields."""
        return {
            "structure": self.structure,
            "equal": self.equal,
            "float": None if self.float_score is None else asdict(self.float_score),
            "engines": [engine.to_dict() for engine in self.engines],
            "layers": [{**asdict(layer), "overlap": layer.overlap} for layer in self.layers],
            "outputs": self.outputs,
            "decode": self.decode,
            "recorded": self.recorded and self.recorded.to_dict(),
            "origin": self.origin and self.origin.to_dict(),
            "warnings": self.warnings,
        }
