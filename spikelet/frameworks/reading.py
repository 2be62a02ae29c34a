"""From what was seen of a module to a float network, and the samples with what it did."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from spikelet.description.errors import SpikeletError
from spikelet.description.neurons.models import neuron_model
from spikelet.frameworks.expression import (
    INPUT_LINES,
    Applied,
    Node,
    Way,
    all_parts,
    refusal,
    sources_of,
)
from spikelet.frameworks.framework import Cell
from spikelet.network.network import INPUT, FloatArray, Network, Population, Projection
from spikelet.nir.handler import BIAS
from spikelet.nir.nodes.cuba_lif import CURRENT_BIAS
from spikelet.nir.signal import Signal

__all__ = ["SeenLayer", "network_of"]

_DECAYS = ("decay", "decay_i")


class SeenLayer(NamedTuple):
    """A neuron module, as far as the network needs to know it.

    Attributes
    ----------
    name : str
    shape : tuple of int
        Of its spikes, of one sample in one tick.
    arriving : list of Node
        What it got in each tick.
    cell : Cell
    """

    name: str
    shape: tuple[int, ...]
    arriving: Sequence[Node]
    cell: Cell


def network_of(
    name: str,
    inputs: tuple[int, ...],
    layers: Sequence[SeenLayer],
    results: Sequence[Node | None],
    dt: float | None,
    readouts: Sequence[SeenLayer] = (),
) -> Network:
    """Return the float network.

    Parameters
    ----------
    name : str
    inputs : tuple of int
        Shape of one sample in one tick.
    layers : sequence of SeenLayer
        In the order of their first call.
    results : sequence of Node or None
        What the module returned.
    dt : float or None
        Seconds per tick.
    readouts : sequence of SeenLayer
        What it returned that is no spikes, as populations that never spike.

    Raises
    ------
    SpikeletError
        Naming the module, for what a chip cannot mean.
    """
    populations, projections = [], []
    for layer in (*layers, *readouts):
        try:
            signal = _arriving(layer)
            population, into = _population(layer, signal)
        except SpikeletError as error:
            text = f"module {layer.name!r}: {error.args[0]}"
            remedy = error.remedy or "correct the parameters of this module"
            raise SpikeletError(text, remedy=remedy) from error
        populations.append(population)
        projections += into
    outputs = _outputs(results, [layer.name for layer in layers], [r.name for r in readouts])
    size = int(np.prod(inputs))
    return Network(name, size, dt, tuple(populations), tuple(projections), outputs)


def _arriving(layer: SeenLayer) -> Signal:
    """Return what leads to a module, which must be the same in every tick."""
    ways = [Way(node, tick) for tick, node in enumerate(layer.arriving)]
    for way in ways:
        if found := refusal(way.node):
            raise SpikeletError(f"what arrives: {found.reason}", remedy=found.remedy)
    last = ways[-1]
    signal = last.signal()
    for way in ways[1:]:
        if way.key() != last.key():
            raise _differs(way.tick, last.tick)
    first = ways[0]
    if first.key() != last.key() and not _equal(first.signal(), _without_before(signal)):
        raise _differs(0, last.tick)
    return signal


def _differs(tick: int, other: int) -> SpikeletError:
    return SpikeletError(
        f"what arrives in tick {tick} is computed in another way than in tick {other}",
        remedy="compute the same in each tick; what came before the first tick is no spikes",
    )


def _without_before(signal: Signal) -> Signal:
    """Return a signal where there were no spikes in the tick before."""
    parts = {source: part for source, part in signal.parts.items() if not source[1]}
    return Signal(parts, signal.bias, signal.shape)


def _equal(a: Signal, b: Signal) -> bool:
    """Return whether two signals are the same function."""
    return (
        a.parts.keys() == b.parts.keys()
        and bool(np.array_equal(a.bias, b.bias))
        and all(
            np.array_equal(part.matrix(), b.parts[name].matrix()) for name, part in a.parts.items()
        )
    )


def _population(layer: SeenLayer, signal: Signal) -> tuple[Population, list[Projection]]:
    cell, model = layer.cell, neuron_model(layer.cell.model)
    if cell.arriving is not None:
        signal = cell.arriving(signal)
    if cell.back is not None:
        own = Signal.spikes(layer.name, layer.shape).delayed(np.array([1]))
        back = cell.back(own)
        if back.size != signal.size:
            raise SpikeletError(f"its way back gives {back.size} values for {signal.size} neurons")
        signal = Signal.sum([signal, back])
    size = int(np.prod(layer.shape))
    if signal.size != size:
        raise SpikeletError(f"{signal.size} values arrive where it has {size} neurons")
    if not (cell.parameters.get("threshold", np.ones(1)) > 0).all():
        raise SpikeletError(
            "the threshold must be above the potential at which the neurons start and rest; "
            f"found {cell.parameters['threshold'].min():g} above it",
            remedy="neurons of a chip are silent at rest: raise the threshold",
        )
    driven = signal.scaled(cell.gain)
    parameters = {
        parameter: _on_grid(values) if parameter in _DECAYS else values
        for parameter, values in cell.parameters.items()
    }
    if driven.bias.any():
        parameters[CURRENT_BIAS if CURRENT_BIAS in model.parameter_names else BIAS] = driven.bias
    name = layer.name
    into = [
        Projection(
            INPUT if source == INPUT_LINES else source,
            name,
            part.matrix(),
            part.convolution,
            None if before == (source == name) else before,
        )
        for (source, before), part in driven.parts.items()
    ]
    return Population(name, size, model, parameters), into


def _on_grid(decay: FloatArray) -> FloatArray:
    """Return decays with the 48 bits that a file's time constants keep; those of float32 are."""
    return np.round(decay * 2.0**48) / 2.0**48


def _outputs(
    results: Sequence[Node | None], names: Sequence[str], readouts: Sequence[str]
) -> tuple[str, ...]:
    """Return the populations whose spikes the module returns, in the order of the results.

    Behind them the readouts.
    """
    found: dict[str, None] = {}
    for node in results:
        if node is None:
            continue
        spikes = [s.module for s in sources_of(node) if s.what == "spikes" and s.module]
        if not spikes:
            continue  # states, returned to be looked at
        if (wrong := refusal(node)) is not None:
            raise SpikeletError(
                f"what the module returns: {wrong.reason}",
                remedy=f"return the spikes of the last neurons, as they are or summed over ticks; "
                f"{wrong.remedy}",
            )
        if any(isinstance(part, Applied) and part.weighs for part in all_parts(node)):
            continue  # a readout
        found |= dict.fromkeys(spikes)
    found |= dict.fromkeys(readouts)
    if not found:
        raise SpikeletError(
            "nothing that the module returns depends on spikes of its neurons, "
            f"{', '.join(map(repr, names)) or 'of which there are none'}",
            remedy="return the spikes of the last neurons, as they are or summed over ticks",
        )
    return tuple(found)
