"""What is stored of a compiled network: its arrays by name, and the rest as JSON."""

from dataclasses import asdict
from typing import Any

import numpy.typing as npt

from spikelet.description.array_files import arrays_under
from spikelet.description.chip.params import ChipParams
from spikelet.description.chip.transmission import CERTAIN
from spikelet.description.learning.rule import LearningRule
from spikelet.description.learning.short_term import ShortTermPlasticity
from spikelet.description.neurons.model import NeuronModel
from spikelet.description.synapses.convolution import ConvolutionShape
from spikelet.network.integer_layers import InputGroup, IntegerPopulation, IntegerProjection
from spikelet.network.integers import IntegerNetwork
from spikelet.network.layer_quantisation import LayerQuantisation
from spikelet.network.leaks import Leak
from spikelet.network.matrices import from_arrays, to_arrays
from spikelet.network.network import Network, Population, Projection
from spikelet.network.origin import Origin
from spikelet.placement.floorplan import Floorplan
from spikelet.placement.link_loads import LinkLoads
from spikelet.placement.quality import PlacementQuality, RandomPlacements
from spikelet.samples.plastic_samples import Encoder

__all__ = [
    "network_arrays",
    "network_fields",
    "network_of",
    "quality_of",
]

_Arrays = dict[str, npt.NDArray[Any]]
_PLAIN = ("name", "size", "weight_exponent", "potential_bits", "weight_bits", "weight_format")


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
        arrays |= {f"population_{index}.{name}": values for name, values in p.parameters.items()}
        arrays |= {f"states_{index}.{name}": values for name, values in p.states.items()}
    for index, q in enumerate(network.projections):
        arrays |= to_arrays(f"projection_{index}", q.weights)
        if q.devices is not None:
            arrays[f"devices_{index}"] = q.devices
    if network.floats:
        for index, population in enumerate(network.floats.populations):
            for name, values in population.parameters.items():
                arrays[f"float_{index}.{name}"] = values
        for index, projection in enumerate(network.floats.projections):
            arrays |= to_arrays(f"float_projection_{index}", projection.weights)
    return arrays


def network_fields(network: IntegerNetwork) -> dict[str, Any]:
    """Return the rest of a network as JSON-compatible values."""
    floats = network.floats
    models = _models(network)
    return {
        "name": network.name,
        "models": [model.to_dict() for model in models],
        "inputs": [_group_fields(group) for group in network.inputs],
        "populations": [
            {
                **{name: getattr(p, name) for name in (*_PLAIN, "depth")},
                "neuron": models.index(p.neuron),
            }
            for p in network.populations
        ],
        "projections": [
            {
                **{n: getattr(p, n) for n in ("source", "target", "delay", "connectivity")},
                **({"teacher": True} if p.teacher else {}),
                **({"transmission": p.transmission} if p.transmission < CERTAIN else {}),
                **({"stochastic": True} if p.stochastic else {}),
                "rule": p.rule and p.rule.to_dict(),
                "convolution": p.convolution and p.convolution.options(),
                # named only where there is one
                **({"short_term": asdict(p.short_term)} if p.short_term else {}),
            }
            for p in network.projections
        ],
        "outputs": network.outputs,
        "dt": network.dt,
        "seed": network.seed,
        "draw_key": network.draw_key,
        "quantisation": [asdict(layer) for layer in network.quantisation],
        "encoder": network.encoder and asdict(network.encoder),
        "floats": floats
        and {
            "neurons": [models.index(p.neuron) for p in floats.populations],
            "projections": [[p.source, p.target, p.delay] for p in floats.projections],
            "origin": floats.origin and floats.origin.to_dict(),
        },
    }


def _models(network: IntegerNetwork) -> list[NeuronModel]:
    """Return the neuron models, each once."""
    floats = network.floats.populations if network.floats else ()
    used = [p.neuron for p in network.populations] + [p.neuron for p in floats]
    return list(dict.fromkeys(used))


def network_of(entry: dict[str, Any], arrays: _Arrays) -> IntegerNetwork:
    """Return a network; inverse of the other two."""
    models = [NeuronModel.from_dict(values) for values in entry["models"]]
    populations = tuple(
        IntegerPopulation(
            **{name: p[name] for name in (*_PLAIN, "depth")},
            neuron=models[p["neuron"]],
            parameters=arrays_under(arrays, f"population_{i}."),
            states=arrays_under(arrays, f"states_{i}."),
        )
        for i, p in enumerate(entry["populations"])
    )
    projections = tuple(
        IntegerProjection(
            p["source"],
            p["target"],
            from_arrays(f"projection_{i}", arrays),
            p["delay"],
            p["rule"] and LearningRule.from_dict(p["rule"]),
            p["connectivity"],
            p["convolution"] and ConvolutionShape.of(p["convolution"]),
            ShortTermPlasticity(**p["short_term"]) if "short_term" in p else None,
            arrays.get(f"devices_{i}"),
            teacher=p.get("teacher", False),
            transmission=p.get("transmission", CERTAIN),
            stochastic=p.get("stochastic", False),
        )
        for i, p in enumerate(entry["projections"])
    )
    return IntegerNetwork(
        entry["name"],
        _groups_of(entry),
        populations,
        projections,
        tuple(entry["outputs"]),
        entry["dt"],
        entry["seed"],
        entry["draw_key"],
        entry["floats"] and _floats_of(entry, models, arrays),
        tuple(_quantisation_of(layer) for layer in entry["quantisation"]),
        entry["encoder"] and Encoder(**entry["encoder"]),
    )


def _group_fields(group: InputGroup) -> dict[str, Any]:
    fields = asdict(group)
    if group.levels == 1:  # named only where they are graded
        del fields["levels"]
    return fields


def _groups_of(entry: dict[str, Any]) -> tuple[InputGroup, ...]:
    return tuple(
        InputGroup(**{**group, "shape": tuple(group["shape"])}) for group in entry["inputs"]
    )


def _quantisation_of(entry: dict[str, Any]) -> LayerQuantisation:
    leaks = tuple(Leak(**leak) for leak in entry["leaks"])
    return LayerQuantisation(**{**entry, "units": tuple(entry["units"]), "leaks": leaks})


def _floats_of(entry: dict[str, Any], models: list[NeuronModel], arrays: _Arrays) -> Network:
    populations = tuple(
        Population(p["name"], p["size"], models[neuron], arrays_under(arrays, f"float_{i}."))
        for i, (p, neuron) in enumerate(
            zip(entry["populations"], entry["floats"]["neurons"], strict=True)
        )
    )
    projections = tuple(
        Projection(source, target, from_arrays(f"float_projection_{i}", arrays), delay=delay)
        for i, (source, target, delay) in enumerate(entry["floats"]["projections"])
    )
    return Network(
        entry["name"],
        sum(size for group in entry["inputs"] for size in group["shape"]),
        entry["dt"],
        populations,
        projections,
        tuple(entry["outputs"]),
        Origin.from_dict(origin) if (origin := entry["floats"].get("origin")) else None,
        max(group.levels for group in _groups_of(entry)),
    )
