"""The crossbar of each synapse format. No twin: ``golden/synapses/sums.py`` is its counterpart."""

from collections.abc import Callable
from typing import Any

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.memory_map import Region
from spikelet.description.errors import SpikeletError
from spikelet.rtl_gen.synapses.axon_types import AxonTypesCrossbar
from spikelet.rtl_gen.synapses.dense import DenseCrossbar
from spikelet.rtl_gen.synapses.gather import GatherCrossbar
from spikelet.rtl_gen.synapses.shared import SharedCrossbar
from spikelet.rtl_gen.synapses.sparse import SparseCrossbar

__all__ = ["Crossbar", "crossbar", "register_crossbar"]

Crossbar = Callable[[CoreParams, dict[str, Region]], Any]
"""From a core and its regions to a component with the members that ``crossbar_members`` names."""

_CROSSBARS: dict[str, Crossbar] = {
    "dense": DenseCrossbar,
    "shared": SharedCrossbar,
    "gather": GatherCrossbar,
    "sparse": SparseCrossbar,
    "axon-types": AxonTypesCrossbar,
}


def crossbar(core: CoreParams, regions: dict[str, Region]) -> Any:
    """Return the crossbar of a core."""
    return _CROSSBARS[core.synapses](core, regions)


def register_crossbar(name: str, component: Crossbar) -> None:
    """Add the crossbar of a synapse format; SpikeletError if there is one of this name."""
    if _CROSSBARS.setdefault(name, component) is not component:
        raise SpikeletError(f"there is a crossbar of {name!r} synapses already")
