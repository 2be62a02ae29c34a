"""Layers spread over more cores, so that the slowest takes fewer clock cycles.

The neurons of a layer are dealt out, not copied: each core holds some of them and so has fewer
groups to sum, one after the other. Every neuron spikes as before, bit for bit.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.errors import SpikeletError
from spikelet.golden.chip import GoldenChip
from spikelet.network.limits import PlacementLimits

__all__ = ["AUTO_SPREAD", "check_spread", "cores_of_layers", "cores_or_auto", "spread"]

AUTO_SPREAD = "auto"

_SAMPLES = 8
"""Samples on which cycles are counted."""

_LEAST_GAIN = 0.01
"""Share of a sample's cycles below which a core more is not worth it."""

Placed = Callable[[PlacementLimits], CompiledNetwork]


@dataclass(frozen=True)
class _Step:
    """A placement, and the cycles of a sample and of each layer's slowest core."""

    compiled: CompiledNetwork
    cycles: float
    layers: dict[str, float]

    @property
    def slowest(self) -> str:
        return max(self.layers, key=lambda name: self.layers[name])


def check_spread(cores: int | str | None, calibration: object) -> None:
    """Raise SpikeletError unless ``cores`` is a number of cores, or ``"auto"``, with samples."""
    if cores is None:
        return
    if cores != AUTO_SPREAD and (type(cores) is not int or cores < 2):
        raise SpikeletError(
            f"spread must be a number of cores, 2 or more, or {AUTO_SPREAD!r}, not {cores!r}"
        )
    if calibration is None:
        raise SpikeletError(
            "spread needs samples: which layer is the slowest depends on who spikes",
            remedy="give some (--calibration), or name layers and their cores (--layer-cores)",
        )


def cores_of_layers(texts: Sequence[str]) -> dict[str, int]:
    """Return what the texts of ``--layer-cores`` say: LAYER=CORES; SpikeletError for another."""
    found: dict[str, int] = {}
    for text in texts:
        layer, _, cores = text.rpartition("=")
        number = int(cores) if cores.isascii() and cores.isdecimal() else 0
        if not layer or layer in found or number < 1:
            raise SpikeletError(
                "--layer-cores must be LAYER=CORES, 1 core or more, once for each layer, not "
                f"{' '.join(map(repr, texts))}",
                remedy="such as --layer-cores hidden=4",
            )
        found[layer] = number
    return found


def cores_or_auto(text: str | None) -> int | str | None:
    """Return what ``--spread`` says."""
    return int(text) if text and text.isascii() and text.isdecimal() else text


def spread(
    compiled: CompiledNetwork,
    cores: int | str,
    spikes: npt.NDArray[Any],
    placed: Placed,
    fits: Callable[[CompiledNetwork], bool] = lambda compiled: True,
) -> CompiledNetwork:
    """Return a network whose slowest layer, or with ``"auto"`` one after the other, is spread.

    Parameters
    ----------
    compiled : CompiledNetwork
    cores : int or str
        Over how many cores the slowest layer is spread; ``"auto"``: the slowest is spread over so
        many that each core has a group less, as long as a sample then takes fewer cycles and the
        chip ``fits``; until what is slowest cannot be faster. Of chips that take as long, the
        smallest.
    spikes : array of 0 and 1, or counts, shape (samples, ticks, n_inputs)
        On the first 8 samples golden counts cycles.
    placed : callable
        Returns the network placed by other limits.
    fits : callable
        Whether a device holds a chip.

    Raises
    ------
    SpikeletError
        If golden cannot count the cycles of this chip, the slowest layer cannot be spread over so
        many cores, or the chip then does not fit.
    """
    if any(core.spike_bits > 1 for core in compiled.chip.cores):
        raise compiled.network.error(
            "its cores take counts, of which clock cycles are not counted, so that it cannot be "
            "spread by them",
            "name layers and their cores (--layer-cores)",
        )
    shown = spikes[:_SAMPLES]
    now = _counted(compiled, shown)
    if cores != AUTO_SPREAD:
        wider = placed(_with(compiled.limits, now.slowest, int(cores)))
        if not fits(wider):
            raise compiled.network.error(
                f"with population {now.slowest!r} spread over {cores} cores, "
                f"{len(wider.chip.cores)} in all, it does not fit",
                "spread it over fewer",
            )
        return wider
    best, in_vain = now, 0
    # Where layers are equally slow, one alone gains nothing.
    while in_vain <= len(compiled.layers):
        following = _following(now.compiled, now.slowest)
        if following is None:
            break
        wider = placed(_with(now.compiled.limits, now.slowest, following))
        if not fits(wider):
            break
        now = _counted(wider, shown)
        in_vain += 1
        if now.cycles <= (1 - _LEAST_GAIN) * best.cycles:
            best, in_vain = now, 0
    return best.compiled


def _with(limits: PlacementLimits, layer: str, cores: int) -> PlacementLimits:
    return replace(limits, layer_cores=tuple({**dict(limits.layer_cores), layer: cores}.items()))


def _following(compiled: CompiledNetwork, name: str) -> int | None:
    """Return over how many cores a layer is spread if its largest has a group less; None: it can't.

    A core of one group, or one that shares a kernel, learns or inhibits, cannot.
    """
    layer = compiled.layer(name)
    core = compiled.chip.cores[layer.slices[0].core]
    lanes = compiled.limits.lanes_of(layer.size)
    largest = max(-(-part.count // lanes) for part in layer.slices)
    kept = compiled.network.kept_whole(name) or core.synapses in ("shared", "gather")
    if largest == 1 or kept:
        return None
    groups = -(-layer.size // lanes)
    return max(len(layer.slices) + 1, -(-groups // (largest - 1)))


def _counted(compiled: CompiledNetwork, spikes: npt.NDArray[Any]) -> _Step:
    golden = GoldenChip(compiled.chip, compiled.image, neurons=compiled.neurons)
    golden.run(compiled.events(spikes), record=("cycles",))
    assert golden.counted is not None
    own = golden.counted.own.sum(axis=(0, 1))
    layers = {
        layer.name: float(np.max([own[part.core] for part in layer.slices]))
        for layer in compiled.layers
    }
    return _Step(compiled, float(golden.counted.cycles.sum()), layers)
