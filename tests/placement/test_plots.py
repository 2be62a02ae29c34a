"""The picture shows every core and every link with its load, on every topology."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.collections import LineCollection, PatchCollection
from matplotlib.colors import to_hex

from spikelet.description.chip.params import TOPOLOGIES
from spikelet.placement.core_limits import CoreLimits
from spikelet.placement.place import place_network
from spikelet.placement.plots import placement_picture
from tests.placement.networks import dense


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_picture(topology: str) -> None:
    placed = place_network(dense([32, 16, 4]), CoreLimits(max_neurons=8), topology=topology)
    names = [placed.parts[part].population for part in np.argsort(placed.core)]
    figure = placement_picture(
        placed.arrangement.loads, names, {"p0": "red", "p1": "lime", "p2": "blue"}
    )
    figure.canvas.draw()
    axes = figure.axes[0]
    (cores,) = (c for c in axes.collections if isinstance(c, PatchCollection))
    colours = [to_hex(c) for c in cores.get_facecolor()]
    assert colours.count("#ff0000") == 4 and colours.count("#00ff00") == 2
    assert colours.index("#0000ff") == names.index("p2")
    (links,) = (c for c in axes.collections if isinstance(c, LineCollection))
    shown = np.sort(links.get_array())
    inner = {
        link: v for link, v in placed.arrangement.loads.by_link().items() if link[1] != "local"
    }
    np.testing.assert_allclose(shown[shown > 0], sorted(inner.values()))
    assert f"busiest link carries {placed.arrangement.loads.largest:,.1f}" in figure.get_suptitle()
    assert [text.get_text() for text in axes.get_legend().get_texts()] == list(dict.fromkeys(names))


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_the_title_is_not_cut(topology: str) -> None:
    """Also with large numbers."""
    placed = place_network(dense([64, 32]), CoreLimits(max_neurons=32), topology=topology)
    loads = replace(placed.arrangement.loads)
    for name, values in loads.loads.items():
        loads.loads[name] = values * 123_456.7
    figure = placement_picture(loads, ["p0", "p0", "p1"])
    figure.canvas.draw()
    (title,) = (t for t in figure.texts if t.get_text() == figure.get_suptitle())
    box = title.get_window_extent()
    assert box.width > 100
    assert box.x0 >= 0 and box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1


def test_more_positions_than_cores() -> None:
    placed = place_network(dense([32, 4]), CoreLimits(max_neurons=8))
    names = [placed.parts[part].population for part in np.argsort(placed.core)]
    (cores,) = (
        c
        for c in placement_picture(placed.arrangement.loads, names).axes[0].collections
        if isinstance(c, PatchCollection)
    )
    assert len(cores.get_facecolor()) == placed.plan.width * placed.plan.height == 6
    assert len(names) == 5
