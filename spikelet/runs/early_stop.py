"""Early stop: what can be stopped at its first output spike, and how many ticks that saves."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.errors import SpikeletError
from spikelet.description.run.recording import Recording
from spikelet.samples.lengths import Lengths

__all__ = ["EarlyStop", "check_decoder", "check_early_stop", "early_stop_of"]

DECODER = "first"
"""The only decoder that no tick behind the first output spike can change."""


@dataclass(frozen=True)
class EarlyStop:
    """How far the chip ran samples that stop at their first output spike.

    Parameters
    ----------
    stopped : int
        Samples with an output spike.
    samples : int
    mean_ticks : float
        Ticks of the chip that a sample took, mean over the samples.
    all_ticks : float
        What it would have taken without early stop.
    """

    stopped: int
    samples: int
    mean_ticks: float
    all_ticks: float

    @property
    def saved(self) -> float:
        """Share of the ticks that were not run."""
        return 1 - self.mean_ticks / self.all_ticks if self.all_ticks else 0.0

    @property
    def words(self) -> str:
        """The same, in words."""
        return (
            f"{self.stopped:,} of {self.samples:,} samples stopped at their first output spike, "
            f"after {self.mean_ticks:,.1f} of {self.all_ticks:,.1f} ticks a sample: "
            f"{self.saved:.1%} saved"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-compatible values, with what follows from the fields."""
        return {**asdict(self), "saved": self.saved}

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> "EarlyStop":
        """Inverse of :meth:`to_dict`; KeyError for other fields."""
        return cls(**{name: fields[name] for name in cls.__dataclass_fields__})


def early_stop_of(trace: Recording, latency: int, lengths: Lengths) -> EarlyStop | None:
    """Return how far the samples of a run were run; None of a run without early stop.

    Parameters
    ----------
    trace : Recording
    latency : int
        Ticks after which the outputs of the network's first tick leave the chip.
    lengths : array of int64, shape (samples,), or None
        Ticks of the samples themselves. What is behind them counts on neither side.
    """
    if trace.ticks_run is None:
        return None
    own = np.full(trace.samples, trace.ticks)
    if lengths is not None:
        own = lengths[: trace.samples] + latency
    ticks = np.minimum(own, trace.ticks_run)
    stopped = int((trace.outputs.any(axis=(1, 2)) & (trace.ticks_run <= own)).sum())
    means = (float(values.mean()) if trace.samples else 0.0 for values in (ticks, own))
    return EarlyStop(stopped, trace.samples, *means)


def check_decoder(compiled: CompiledNetwork, decode: str) -> None:
    """Raise SpikeletError unless a decoder knows the class at the first output spike."""
    if compiled.network.floats is not None and decode != DECODER:
        raise SpikeletError(
            f"early stop: decoder {decode!r} needs all ticks of a sample",
            remedy=f"give --decode {DECODER}, or leave --early-stop out",
        )


def check_early_stop(compiled: CompiledNetwork, learning: bool | Sequence[str]) -> None:
    """Raise SpikeletError if the first output spike of a chip is not the network's.

    Its outputs must spike, and be equally many ticks behind the inputs; and nothing may be learned,
    which layers that are ahead would have learned of later ticks.
    """
    network = compiled.network
    if network.readouts:
        raise network.error(
            f"early stop: output {network.readouts[0]!r} is a potential, and never spikes",
            "leave --early-stop out",
        )
    depths = {network.population(name).depth for name in network.outputs}
    if len(depths) > 1:
        raise network.error(
            "early stop: its outputs are at different depths, so that the first spike to leave the "
            "chip need not be that of the earliest tick",
            "leave --early-stop out, or give it outputs of one layer",
        )
    if learning and compiled.learns:
        raise network.error(
            "early stop: its layers run one tick apart, and those that are ahead would have "
            "learned from ticks that the outputs never reach",
            "switch learning off (--no-learning), or leave --early-stop out",
        )
