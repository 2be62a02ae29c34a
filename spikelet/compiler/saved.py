"""What is stored of a compiled network: its arrays by name, and the rest as JSON."""

from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any

import numpy.typing as npt

from spikelet.description.chip.image import ChipImage, CoreImage
from spikelet.description.chip.params import ChipParams
from spikelet.description.chip.profile import ExecutionProfile
from spikelet.description.learning.rule import Adaptation, LearningRule
from spikelet.network.integers import (
    InputGroup,
    IntegerNetwork,
    IntegerPopulation,
    IntegerProjection,
    LayerQuantisation,
)
from spikelet.network.network import Network, Population, Projection
from spikelet.placement.arrange import RandomPlacements
from spikelet.placement.floorplan import Floorplan
from spikelet.placement.link_loads import LinkLoads
from spikelet.placement.place import PlacementQuality
from spikelet.samples.plastic_samples import Encoder

__all__ = [
    "image_arrays",
    "image_of",
    "network_arrays",
    "network_fields",
    "network_of",
    "quality_of",
]

_Arrays = dict[str, npt.NDArray[Any]]
_IMAGE = tuple(f.name for f in fields(CoreImage) if f.name != "learning")
_FLOATS = ("decay", "bias", "threshold", "reset_potential")
_PLAIN = ("name", "size", "weight_exponent", "potential_bits", "weight_bits", "weight_format")


def image_arrays(image: ChipImage) -> _Arrays:
    """Return the contents of all cores."""
    return {
        f"core_{index}_{name}": getattr(core, name)
        for index, core in enumerate(image.cores)
        for name in _IMAGE
    }


def image_of(chip: ChipParams, learning: Sequence[bool], arrays: _Arrays) -> ChipImage:
    """Return the contents of a chip; inverse of :func:`image_arrays`."""
    cores = (
        CoreImage(**{name: arrays[f"core_{i}_{name}"] for name in _IMAGE}, learning=on)
        for i, on in enumerate(learning)
    )
    image = ChipImage(tuple(cores))
    image.check(chip)
    return image


def quality_of(chip: ChipParams, description: dict[str, Any], arrays: _Arrays) -> PlacementQuality:
    """Return what is known of a placement."""
    loads = {n.removeprefix("load "): a for n, a in arrays.items() if n.startswith("load ")}
    return PlacementQuality(
        LinkLoads(Floorplan(chip.topology, chip.width, chip.height), loads),
        RandomPlacements(**description["random"]),
        description["measured"],
    )


def network_arrays(network: IntegerNetwork) -> _Arrays:
    """Return the arrays of a network, and of the float network that it was."""
    arrays: _Arrays = {}
    for index, p in enumerate(network.populations):
        arrays |= {f"population_{index}_{name}": values for name, values in p.parameters.items()}
        if p.adapted is not None:
            arrays[f"adapted_{index}"] = p.adapted
    for index, q in enumerate(network.projections):
        arrays[f"projection_{index}"] = q.weights
    if network.floats:
        for index, population in enumerate(network.floats.populations):
            for name in _FLOATS:
                if getattr(population, name) is not None:
                    arrays[f"float_{index}_{name}"] = getattr(population, name)
        for index, projection in enumerate(network.floats.projections):
            arrays[f"float_projection_{index}"] = projection.weights
    return arrays


def network_fields(network: IntegerNetwork) -> dict[str, Any]:
    """Return the rest of a network as JSON-compatible values."""
    floats = network.floats
    return {
        "name": network.name,
        "inputs": [asdict(group) for group in network.inputs],
        "populations": [
            {
                **{name: getattr(p, name) for name in (*_PLAIN, "depth")},
                "profile": p.profile.to_dict(),
                "parameters": list(p.parameters),
                "adaptation": p.adaptation and asdict(p.adaptation),
            }
            for p in network.populations
        ],
        "projections": [
            {
                **{n: getattr(p, n) for n in ("source", "target", "delay", "connectivity")},
                "rule": p.rule and asdict(p.rule),
            }
            for p in network.projections
        ],
        "outputs": network.outputs,
        "dt": network.dt,
        "seed": network.seed,
        "quantisation": [asdict(layer) for layer in network.quantisation],
        "encoder": network.encoder and asdict(network.encoder),
        "floats": floats
        and {
            "profile": floats.profile.to_dict(),
            "projections": [[p.source, p.target] for p in floats.projections],
        },
    }


def network_of(entry: dict[str, Any], arrays: _Arrays) -> IntegerNetwork:
    """Return a network; inverse of the other two."""
    populations = tuple(
        IntegerPopulation(
            **{name: p[name] for name in (*_PLAIN, "depth")},
            profile=ExecutionProfile(**p["profile"]),
            parameters={name: arrays[f"population_{i}_{name}"] for name in p["parameters"]},
            adaptation=p["adaptation"] and Adaptation(**p["adaptation"]),
            adapted=arrays.get(f"adapted_{i}"),
        )
        for i, p in enumerate(entry["populations"])
    )
    projections = tuple(
        IntegerProjection(
            p["source"],
            p["target"],
            arrays[f"projection_{i}"],
            p["delay"],
            p["rule"] and LearningRule.from_dict(p["rule"]),
            p["connectivity"],
        )
        for i, p in enumerate(entry["projections"])
    )
    return IntegerNetwork(
        entry["name"],
        tuple(InputGroup(group["name"], tuple(group["shape"])) for group in entry["inputs"]),
        populations,
        projections,
        tuple(entry["outputs"]),
        entry["dt"],
        entry["seed"],
        entry["floats"] and _floats_of(entry, arrays),
        tuple(LayerQuantisation(**layer) for layer in entry["quantisation"]),
        entry["encoder"] and Encoder(**entry["encoder"]),
    )


def _floats_of(entry: dict[str, Any], arrays: _Arrays) -> Network:
    populations = tuple(
        Population(
            p["name"],
            p["size"],
            arrays.get(f"float_{i}_{_FLOATS[0]}"),  # there may be no decay
            *(arrays[f"float_{i}_{name}"] for name in _FLOATS[1:]),
        )
        for i, p in enumerate(entry["populations"])
    )
    projections = tuple(
        Projection(source, target, arrays[f"float_projection_{i}"])
        for i, (source, target) in enumerate(entry["floats"]["projections"])
    )
    return Network(
        entry["name"],
        sum(size for group in entry["inputs"] for size in group["shape"]),
        entry["dt"],
        ExecutionProfile(**entry["floats"]["profile"]),
        populations,
        projections,
        tuple(entry["outputs"]),
    )
