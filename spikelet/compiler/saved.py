"""What is stored of a compiled network: its arrays, and the rest as JSON."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from spikelet.compiler.place import PlacedLayer, Slice
from spikelet.description.array_files import arrays_under
from spikelet.description.chip.image import ChipImage, CoreImage
from spikelet.description.chip.params import ChipParams
from spikelet.description.neurons.model import NeuronModel
from spikelet.network.network import Network, Population, Projection
from spikelet.network.quantise import LayerQuantisation
from spikelet.placement.arrange import RandomPlacements
from spikelet.placement.floorplan import Floorplan
from spikelet.placement.link_loads import LinkLoads
from spikelet.placement.place import PlacementQuality

if TYPE_CHECKING:
    from spikelet.compiler.compiled import CompiledNetwork

__all__ = ["arrays_of", "description_of", "fields_of"]


def arrays_of(compiled: "CompiledNetwork") -> dict[str, npt.NDArray[Any]]:
    """Return the arrays of a compiled network by name."""
    arrays: dict[str, npt.NDArray[Any]] = {"routes": compiled.routes}
    arrays.update((f"load {port}", load) for port, load in compiled.quality.loads.loads.items())
    for index, core in enumerate(compiled.image.cores):
        arrays |= {f"core_{index}.{name}": values for name, values in core.to_arrays().items()}
    for index, population in enumerate(compiled.network.populations):
        for name, values in population.parameters.items():
            arrays[f"population_{index}.{name}"] = values
    for index, projection in enumerate(compiled.network.projections):
        arrays[f"projection_{index}"] = projection.weights
    return arrays


def description_of(compiled: "CompiledNetwork") -> dict[str, Any]:
    """Return the rest of a compiled network as JSON-compatible values."""
    network = compiled.network
    return {
        "name": network.name,
        "dt": network.dt,
        "models": [model.to_dict() for model in network.neurons],
        "n_inputs": network.n_inputs,
        "populations": [
            {"name": p.name, "size": p.size, "neuron": network.neurons.index(p.neuron)}
            for p in network.populations
        ],
        "projections": [[p.source, p.target] for p in network.projections],
        "outputs": network.outputs,
        "chip": compiled.chip.to_dict(),
        "layers": [asdict(layer) for layer in compiled.layers],
        "output_latency": compiled.output_latency,
        "neurons": compiled.neurons,
        "random": asdict(compiled.quality.random),
        "measured": compiled.quality.measured,
        "quantisation": [asdict(layer) for layer in compiled.quantisation],
    }


def fields_of(description: dict[str, Any], arrays: dict[str, npt.NDArray[Any]]) -> dict[str, Any]:
    """Return the fields of a compiled network: inverse of the other two."""
    models = [NeuronModel.from_dict(values) for values in description["models"]]
    populations = tuple(
        Population(
            entry["name"],
            entry["size"],
            models[entry["neuron"]],
            arrays_under(arrays, f"population_{i}."),
        )
        for i, entry in enumerate(description["populations"])
    )
    projections = tuple(
        Projection(source, target, arrays[f"projection_{i}"])
        for i, (source, target) in enumerate(description["projections"])
    )
    network = Network(
        description["name"],
        description["n_inputs"],
        description["dt"],
        populations,
        projections,
        tuple(description["outputs"]),
    )
    chip = ChipParams.from_dict(description["chip"])
    image = ChipImage(
        tuple(
            CoreImage.from_arrays(arrays_under(arrays, f"core_{i}."))
            for i in range(len(chip.cores))
        )
    )
    image.check(chip)
    return {
        "chip": chip,
        "image": image,
        "routes": arrays["routes"],
        "layers": tuple(_layer(entry) for entry in description["layers"]),
        "output_latency": description["output_latency"],
        "neurons": tuple(description["neurons"]),
        "quality": PlacementQuality(
            LinkLoads(
                Floorplan(chip.topology, chip.width, chip.height),
                {n.removeprefix("load "): a for n, a in arrays.items() if n.startswith("load ")},
            ),
            RandomPlacements(**description["random"]),
            description["measured"],
        ),
        "quantisation": tuple(LayerQuantisation(**e) for e in description["quantisation"]),
        "network": network,
    }


def _layer(entry: dict[str, Any]) -> PlacedLayer:
    slices = tuple(Slice(**part) for part in entry["slices"])
    order = entry["order"] and tuple(entry["order"])
    return PlacedLayer(entry["name"], entry["depth"], entry["size"], slices, order)
