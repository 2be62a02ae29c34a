"""What a module returns that is no spikes: weights behind its last neurons, read in each tick."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np

from spikelet.description.errors import SpikeletError
from spikelet.frameworks.expression import (
    Applied,
    Node,
    OverTime,
    all_parts,
    at,
    refusal,
    sources_of,
)
from spikelet.frameworks.framework import Cell
from spikelet.frameworks.reading import SeenLayer
from spikelet.frameworks.traced import TIME, Array, Lead

__all__ = ["Readout", "Returned", "readouts_of"]

_MODEL = "linear"


class Returned(NamedTuple):
    """A tensor that a module returned and that depends on spikes.

    Attributes
    ----------
    node : Node
    lead : Lead
    values : array of float64
        Of the tensor's shape.
    """

    node: Node
    lead: Lead
    values: Array


class Readout(NamedTuple):
    """Values that are read in each tick.

    Attributes
    ----------
    layer : SeenLayer
        A population of model ``linear``.
    values : array of float64, shape (samples, ticks, size)
        The module's own.
    """

    layer: SeenLayer
    values: Array


def readouts_of(
    returned: Sequence[Returned | None], ticks: int, taken: Collection[str]
) -> list[Readout]:
    """Return the readouts among what a module returned, whole or tick by tick.

    Parameters
    ----------
    returned : sequence of Returned or None
        In the order in which the module returned it.
    ticks : int
    taken : collection of str
        Names of the neuron modules, which none gets.

    Raises
    ------
    SpikeletError
        If they are summed over ticks, or not returned in each.
    """
    found = [r for r in returned if r is not None and _is_readout(r.node)]
    whole = [r for r in found if TIME in r.lead.axes]
    single = sorted((r for r in found if TIME not in r.lead.axes), key=lambda r: _tick(r.node))
    if any(isinstance(part, OverTime) for r in found for part in all_parts(r.node)):
        raise SpikeletError(
            "the module returns weights applied to spikes, summed over ticks, which no neuron is",
            remedy="return what it computes in each tick, and sum it up afterwards: the decoder "
            "of a run adds up the potentials of all ticks",
        )
    if len(single) % ticks:
        raise SpikeletError(
            f"the module returns {len(single)} readouts of single ticks, and there are {ticks} "
            "ticks",
            remedy="return one in each tick",
        )
    each = len(single) // ticks
    of_ticks = [single[number::each] for number in range(each)]
    made = [
        *(([at(r.node, t) for t in range(ticks)], _of_samples(r)) for r in whole),
        *(
            ([r.node for r in steps], np.stack([_of_samples(r)[:, 0] for r in steps], axis=1))
            for steps in of_ticks
        ),
    ]
    names = _names(len(made), taken)
    return [
        Readout(SeenLayer(name, nodes[-1].shape, nodes, Cell(_MODEL, {})), values)
        for name, (nodes, values) in zip(names, made, strict=True)
    ]


def _is_readout(node: Node) -> bool:
    """Return whether weights are applied to spikes of neurons; what is refused is none."""
    return (
        any(source.what == "spikes" and source.module for source in sources_of(node))
        and any(isinstance(part, Applied) and part.weighs for part in all_parts(node))
        and refusal(node) is None
    )


def _tick(node: Node) -> int:
    return max((s.tick for s in sources_of(node) if s.tick is not None), default=0)


def _of_samples(returned: Returned) -> Array:
    """Return the values, shape (samples, ticks, size); one tick where there is no time."""
    lead = returned.lead
    if TIME not in lead.axes:
        return returned.values.reshape(lead.samples, 1, -1)
    values = returned.values.reshape(*lead.sizes, -1)
    return values.swapaxes(0, 1) if lead.axes[0] == TIME else values


def _names(count: int, taken: Collection[str]) -> list[str]:
    """Return names that no module has."""
    free = (n for n in ("readout", *(f"readout_{k}" for k in range(1, 1 << 16))) if n not in taken)
    return [next(free) for _ in range(count)]
