"""Presets in words, as ``spikelet presets`` prints them."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from spikelet.description.presets.preset import Preset
from spikelet.description.presets.presets import preset, presets

__all__ = ["preset_fields", "preset_lines", "show_preset", "show_presets"]


def preset_lines(found: Preset) -> list[str]:
    """Return all of a preset: where it is from, its core, its parameters, and what differs."""
    core = found.core()
    rule = f"rule {found.rule}" if found.rule else "no rule"
    lines = [
        f"{found.name}: {found.description}",
        f"    source: {found.source}",
        f"    core: {core.n_axons} axons by {core.n_neurons} neurons of {found.neuron}, "
        f"{core.synapses} synapses, weights {core.weight_min}..{core.weight_max}",
        f"    potentials of {core.potential_bits} bits, delays 1..{found.longest_delay}, {rule}, "
        f"{core.lanes} lanes, {core.pipelines} pipelines",
    ]
    if found.table:
        width = max(map(len, found.table))
        lines += ["", "published, and here:"]
        lines += [f"    {name:{width}}  {here}" for name, here in found.table.items()]
    if found.differs:
        lines += ["", "what differs:", *(f"    {line}" for line in found.differs)]
    return lines


def preset_fields(found: Preset) -> dict[str, Any]:
    """Return a preset as a JSON-compatible object."""
    values = asdict(found)
    return {**values, "differs": list(found.differs)}


def show_presets(say: Callable[[str], None]) -> dict[str, Any]:
    """Print the presets that there are; return the same as JSON-compatible values."""
    for found in presets().values():
        say(f"{found.name}: {found.description}")
        say(f"    {found.source}")
    return {"presets": [preset_fields(found) for found in presets().values()]}


def show_preset(name: str, say: Callable[[str], None]) -> dict[str, Any]:
    """Print all of a preset, a name or a file; return the same as JSON-compatible values."""
    found = preset(name)
    for line in preset_lines(found):
        say(line)
    return preset_fields(found)
