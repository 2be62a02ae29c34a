"""Where the clock cycles of a sample go, core by core and layer by layer, as golden counts them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.errors import SpikeletError
from spikelet.fpga.flow import FpgaReport
from spikelet.golden.chip import GoldenChip
from spikelet.golden.chip_cycles import ChipCycles
from spikelet.samples.samples import Samples

__all__ = ["CoreWork", "LayerWork", "Throughput", "rewards", "throughput"]

_MOST_SAMPLES = 20
_NETWORK = "network"


@dataclass(frozen=True)
class Work:
    """Mean clock cycles of a tick, and what they go to; they add up to those of the chip's tick.

    Parameters
    ----------
    sums : float
        The scan of the axons, and the sums until the last of them leave.
    update : float
        From there until the last neuron has been updated.
    beside : float
        From there until learning, or the walk over axons with short-term plasticity, has ended.
    emission : float
        From there until the last spike has left the core.
    waiting : float
        For other cores, spikes in the network, and the barrier.
    bounds : float
        Share of ticks in which this core is the last to have done, 0..1; of cores that end
        together, the first.
    """

    sums: float
    update: float
    beside: float
    emission: float
    waiting: float
    bounds: float

    @property
    def own(self) -> float:
        """Cycles of a tick without waiting."""
        return self.sums + self.update + self.beside + self.emission


@dataclass(frozen=True)
class CoreWork(Work):
    """Of a core, and which layer it belongs to."""

    core: int
    layer: str
    neurons: int


@dataclass(frozen=True)
class LayerWork(Work):
    """Of a layer: that of its busiest core; and the share of ticks in which one of its is last."""

    layer: str
    cores: int


@dataclass(frozen=True)
class Throughput:
    """Clock cycles of a sample, and where they go.

    Parameters
    ----------
    samples : int
        That golden ran; all else are means over them.
    ticks : float
        Of a sample, those in which its last spikes come out included.
    cycles : float
        Of a sample, from the start of each tick to its barrier. The host's transfers between ticks
        are not in them.
    barrier : int
        Cycles of a tick to the cores and back.
    network : float
        Cycles of a tick in which spikes are on their way, when all cores have done.
    layers : tuple of LayerWork
    cores : tuple of CoreWork
    """

    samples: int
    ticks: float
    cycles: float
    barrier: int
    network: float
    layers: tuple[LayerWork, ...]
    cores: tuple[CoreWork, ...]

    @property
    def bound(self) -> str:
        """The layer that most ticks wait for; ``"network"`` if they wait longer for that."""
        slowest = max(self.layers, key=lambda layer: layer.bounds)
        return _NETWORK if self.network > slowest.own else slowest.layer

    def samples_per_second(self, mhz: float) -> float:
        """Return the samples of a second at a clock, one after another."""
        return 1e6 * mhz / self.cycles

    def to_dict(self, builds: Sequence[FpgaReport] = ()) -> dict[str, Any]:
        """Return JSON-compatible values, with samples per second of each build."""
        clocks = [(build, what, mhz) for build in builds for what, mhz in _clocks(build).items()]
        return {
            **asdict(self),
            "bound": self.bound,
            "samples_per_second": [
                {
                    "design": build.board or build.device,
                    "clock": what,
                    "mhz": mhz,
                    "samples_per_second": self.samples_per_second(mhz),
                }
                for build, what, mhz in clocks
            ],
        }


def _clocks(build: FpgaReport) -> dict[str, float]:
    clocks = {"routed": build.routed.fmax_mhz, "target": build.target_mhz}
    return {what: mhz for what, mhz in clocks.items() if 0 < mhz < float("inf")}


def throughput(compiled: CompiledNetwork, samples: Samples) -> Throughput | None:
    """Count the clock cycles of the first 20 samples on golden, with weights as compiled.

    None where golden cannot count them: of cores whose axons take counts; or if there is no sample.

    Raises
    ------
    SpikeletError
        If the samples do not fit the network.
    """
    if any(core.spike_bits > 1 for core in compiled.chip.cores):
        return None
    if not len(samples.spikes):
        return None
    shown = samples.first(min(_MOST_SAMPLES, len(samples.spikes)))
    events = compiled.events(shown.spikes)
    golden = GoldenChip(compiled.chip, compiled.image, neurons=compiled.neurons)
    golden.run(events, record=("cycles",), reward=rewards(compiled, shown))
    if golden.counted is None:
        raise SpikeletError("golden counted no clock cycles")
    ran = np.ones((events.samples, events.ticks), np.bool_)
    if shown.lengths is not None:
        ends = np.asarray(shown.lengths)[:, None] + compiled.output_latency
        ran = np.arange(events.ticks) < ends
    return _summed(compiled, golden.counted, ran)


def rewards(compiled: CompiledNetwork, samples: Samples) -> npt.NDArray[np.int32] | None:
    """Return the samples' rewards with those of the last ticks, which are 0; None without any."""
    if samples.reward is None:
        return None
    extra = ((0, 0), (0, compiled.output_latency))
    return np.pad(np.asarray(samples.reward, np.int32), extra)


def _summed(
    compiled: CompiledNetwork, counted: ChipCycles, ran: npt.NDArray[np.bool_]
) -> Throughput:
    chip, samples = compiled.chip, len(ran)
    own, cycles = counted.own[ran], counted.cycles[ran]
    barrier = 2 * chip.barrier_latency
    late = cycles - barrier - own.max(axis=1)
    last = own.argmax(axis=1)
    places = {
        part.core: (layer.name, part.count) for layer in compiled.layers for part in layer.slices
    }

    def work(core: int, bounds: float) -> dict[str, float]:
        found = {
            name: float(getattr(counted, name)[ran][:, core].mean())
            for name in ("sums", "update", "beside", "emission", "waiting")
        }
        return {**found, "bounds": bounds}

    cores = tuple(
        CoreWork(core=core, layer=name, neurons=count, **work(core, float((last == core).mean())))
        for core, (name, count) in sorted(places.items())
    )
    layers = []
    for layer in compiled.layers:
        here = [core for core in cores if core.layer == layer.name]
        busiest = max(here, key=lambda core: core.own)
        bounds = sum(core.bounds for core in here)
        layers.append(
            LayerWork(layer=layer.name, cores=len(here), **work(busiest.core, float(bounds)))
        )
    return Throughput(
        samples,
        float(ran.sum(axis=1).mean()),
        float(cycles.sum() / samples),
        barrier,
        float(late.mean()),
        tuple(layers),
        cores,
    )
