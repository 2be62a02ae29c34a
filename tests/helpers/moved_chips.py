"""The same network in another chip: other places for its cores, another network on chip."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from spikelet.description.chip.destinations import HOST, destinations, joined, list_entries
from spikelet.description.chip.image import ChipImage
from spikelet.description.chip.params import ChipParams
from spikelet.description.run.events import Events
from spikelet.description.run.recording import Recording
from spikelet.golden.emission import single_targets

__all__ = ["difference_of_moved", "moved"]


def moved(
    chip: ChipParams, image: ChipImage, events: Events, place: Sequence[int], **network: Any
) -> tuple[ChipParams, ChipImage, Events]:
    """Return chip, contents and events with core ``i`` as core ``place[i]``.

    Rectangles, which another order of the cores would tear, become one destination for each core.
    ``network`` are further :class:`ChipParams`.
    """
    new = np.array([*place, HOST])  # the host is core -1
    cores, contents = list(chip.cores), list(image.cores)
    for index, (params, core) in enumerate(zip(chip.cores, image.cores, strict=True)):
        neuron, target, axon, delay = single_targets(chip, core.destinations).T
        found = joined(destinations(neuron, new[target], axon, delay))
        contents[place[index]] = replace(core, destinations=found)
        cores[place[index]] = replace(params, list_entries=list_entries(found))
    changed = replace(chip, cores=tuple(cores), multicast=False, **network)
    return changed, ChipImage(tuple(contents)), replace(events, core=new[events.core])


def difference_of_moved(expected: Recording, got: Recording, place: Sequence[int]) -> str | None:
    """Return where a Recording of :func:`moved` differs from that of the original, if it does."""
    assert got.spikes is not None and got.states is not None
    order = list(place)
    back = replace(
        got,
        active_axons=got.active_axons[..., order],
        merged_spikes=got.merged_spikes[..., order],
        neurons=tuple(got.neurons[new] for new in order),
        spikes=[got.spikes[new] for new in order],
        states=[got.states[new] for new in order],
    )
    return back.first_difference(expected)
