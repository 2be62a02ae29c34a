"""The report's sample picker: spikes of several samples, drawn to be sharp at any size."""

from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.network.network import INPUT
from spikelet.reports.section import Parts, Section

__all__ = ["MOST_SPIKES", "SECTION", "content"]

MOST_SAMPLES, MOST_SPIKES = 10, 20_000
"""How many samples, and spikes in all of them, the page holds."""


def content(parts: Parts) -> dict[str, Any] | None:
    """Return what the first samples did; None if spikes were not recorded.

    Returns
    -------
    dict
        ``ticks``, and ``samples``: ``sample``, ``label`` and ``found`` (None: not known, -1: no
        class), ``votes``, and ``layers``: ``name``, ``size``, and ``spikes``, pairs of a tick and a
        neuron. As many samples as have at most 20,000 spikes together, at most 10; the sample that
        the report shows comes first.
    """
    run = parts.run
    if run is None or run.recording.spikes is None:
        return None
    net = parts.compiled.network
    rasters: list[tuple[str, npt.NDArray[Any]]] = []
    if parts.samples is not None:
        rasters.append((INPUT, parts.samples.spikes))
    rasters += [(layer.name, run.spikes(layer.name)) for layer in parts.compiled.layers]
    labels = parts.samples.labels if parts.samples else None
    classified = net.floats is not None or labels is not None
    votes, found = run.votes(parts.decode), run.classify(parts.decode)
    others = [n for n in range(run.recording.samples) if n != parts.sample]
    chosen: list[dict[str, Any]] = []
    left = MOST_SPIKES
    for sample in [parts.sample, *others][:MOST_SAMPLES]:
        layers = [
            {
                "name": name,
                "size": spikes.shape[2],
                "spikes": np.argwhere(spikes[sample]).tolist(),
            }
            for name, spikes in rasters
        ]
        left -= sum(len(layer["spikes"]) for layer in layers)
        if left < 0:
            break
        chosen.append(
            {
                "sample": sample,
                "label": None if labels is None else int(labels[sample]),
                "found": int(found[sample]) if classified else None,
                "votes": [float(vote) for vote in votes[sample]],
                "layers": layers,
            }
        )
    if not chosen:
        return None
    ticks = max(spikes.shape[1] for _, spikes in rasters)
    return {"ticks": ticks, "recorded": run.recording.samples, "samples": chosen}


SECTION = Section("samples", "Samples", "picker_section.html.j2", content)
