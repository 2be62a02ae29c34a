"""What is measured: a compiled network, what golden did with samples, and builds of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from spikelet.compiler.compiled import CompiledNetwork
from spikelet.fpga.flow import FpgaReport
from spikelet.measures.connections import fan_out, fan_out_of_weights
from spikelet.network.integer_layers import IntegerProjection
from spikelet.runs.run_result import Run
from spikelet.runs.verification import Verification
from spikelet.samples.lengths import within
from spikelet.samples.samples import Samples

__all__ = ["Learned", "Subject"]


@dataclass(frozen=True)
class Learned:
    """What golden learned in one sample.

    Parameters
    ----------
    updates : int
        Weights that had another value after a tick than before it, summed over the ticks.
    cycles : float
        Clock cycles of the sample, as golden predicts them.
    """

    updates: int
    cycles: float


@dataclass(frozen=True, eq=False)
class Subject:
    """What measures are computed from; whatever is None or empty leaves some of them unknown.

    Parameters
    ----------
    compiled : CompiledNetwork
    samples : Samples or None
        The input of ``run``, sample by sample.
    run : Run or None
        Golden's, with spikes.
    verification : Verification or None
    builds : sequence of FpgaReport
    cycles : float or None
        Clock cycles of a sample, mean.
    learned : Learned or None
    """

    compiled: CompiledNetwork
    samples: Samples | None = None
    run: Run | None = None
    verification: Verification | None = None
    builds: Sequence[FpgaReport] = ()
    cycles: float | None = None
    learned: Learned | None = None

    @cached_property
    def synapses(self) -> int:
        """Synapses of the network, those of weight 0 among them."""
        return sum(self.synapses_of(p) for p in self.compiled.network.projections)

    def synapses_of(self, projection: IntegerProjection) -> int:
        """Return the synapses of a projection, those of weight 0 among them."""
        return int(fan_out(projection).sum())

    @cached_property
    def synapses_with_weight(self) -> int:
        """Synapses whose weight is not 0; all that are plastic."""
        return sum(int(fan_out_of_weights(p).sum()) for p in self.compiled.network.projections)

    @cached_property
    def spiking_neurons(self) -> int:
        """Neurons of all populations."""
        return sum(layer.size for layer in self.compiled.layers)

    @cached_property
    def spikes(self) -> dict[str, npt.NDArray[np.float64]] | None:
        """Spikes of a sample, mean, of each input and neuron by its group or population.

        Shape (size,) each; counts of graded spikes add up. None if no spikes were recorded.
        """
        run, samples = self.run, self.samples
        if run is None or samples is None or run.recording.spikes is None:
            return None
        if not run.recording.samples:
            return None
        shown = samples.first(run.recording.samples)
        given = within(shown.lengths, shown.spikes).sum(axis=1, dtype=np.int64).mean(axis=0)
        found, first = {}, 0
        for group in self.compiled.network.inputs:
            found[group.name] = given[first : first + group.size]
            first += group.size
        for layer in self.compiled.layers:
            found[layer.name] = run.spikes(layer.name).sum(axis=1, dtype=np.int64).mean(axis=0)
        return found

    @cached_property
    def ticks(self) -> float | None:
        """Ticks of a sample, mean, without those in which its last spikes come out."""
        run = self.run
        if run is None or not run.recording.samples:
            return None
        if run.lengths is not None:
            return float(np.mean(run.lengths))
        return float(run.recording.ticks - self.compiled.output_latency)

    @cached_property
    def additions(self) -> float | None:
        """Synaptic operations of a sample, mean: for each spike, the synapses of its source."""
        return self._operations(fan_out)

    @cached_property
    def effective_additions(self) -> float | None:
        """The same without synapses of weight 0."""
        return self._operations(fan_out_of_weights)

    def operations_of(self, projection: IntegerProjection) -> float:
        """Return the synaptic operations of a sample at a projection, mean; 0 if not known."""
        spikes = self.spikes
        return 0.0 if spikes is None else float(spikes[projection.source] @ fan_out(projection))

    def _operations(
        self, degree: Callable[[IntegerProjection], npt.NDArray[np.int64]]
    ) -> float | None:
        spikes = self.spikes
        if spikes is None:
            return None
        projections = self.compiled.network.projections
        return sum(float(spikes[p.source] @ degree(p)) for p in projections)

    @property
    def clocks(self) -> list[tuple[str, float]]:
        """Name and clock in MHz of each build: on a board its chip's clock, else the Fmax."""
        found = [
            (
                build.board or build.device,
                build.target_mhz if build.board else build.routed.fmax_mhz,
            )
            for build in self.builds
        ]
        return [(name, mhz) for name, mhz in found if 0 < mhz < float("inf")]
