"""Writing of NIR files: what a plastic network has learned, for other simulators.

Weights, thresholds and the rest are given in units in which a population's threshold, without
adaptation, is a given number. ``docs/plastic-networks.md`` says what NIR cannot express.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from spikelet.compiler.plastic import Plastic
from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.image import ChipImage, CoreImage
from spikelet.description.errors import SpikeletError
from spikelet.description.files import AtomicFile
from spikelet.description.neurons.model import FRACTION_BITS
from spikelet.network.integers import PlacedPopulation, PlacedProjection
from spikelet.nir.handler import BIAS
from spikelet.nir.handlers import neuron_node
from spikelet.nir.neuron_model import RESET_POTENTIAL, reset_metadata
from spikelet.nir.nodes.affine import Affine
from spikelet.nir.nodes.input import Input
from spikelet.nir.nodes.linear import Linear
from spikelet.nir.nodes.output import Output

__all__ = ["to_nir", "write_nir"]

_NIR_VERSION = "1.0"
_Fields = Mapping[str, npt.NDArray[Any]]


def write_nir(
    plastic: Plastic, path: Path, *, image: ChipImage | None = None, threshold: float = 1.0
) -> list[str]:
    """Write a plastic network as a NIR file; see :func:`to_nir`.

    Returns
    -------
    list of str
        What the file does not express of this network, in words.

    Raises
    ------
    SpikeletError
        If ``threshold`` is not above 0, or the file cannot be written.
    """
    contents, left_out = to_nir(plastic, image=image, threshold=threshold)
    try:
        with AtomicFile(path) as file:
            file.write(contents)
    except OSError as error:
        raise SpikeletError(
            f"{path} cannot be written: {error}",
            remedy="choose a folder you may write to, on a disk with space",
        ) from error
    return left_out


def to_nir(
    plastic: Plastic, *, image: ChipImage | None = None, threshold: float = 1.0
) -> tuple[bytes, list[str]]:
    """Return a plastic network as a NIR file of Linear, Affine, Delay, LIF and IF nodes.

    Parameters
    ----------
    plastic : Plastic
    image : ChipImage or None
        Contents with what was learned, such as ``learned.state.image``; None: before learning.
    threshold : float
        What each population's threshold becomes: the largest of its neurons', without adaptation.

    Returns
    -------
    bytes
        The file.
    list of str
        What it does not express of this network, in words.

    Raises
    ------
    SpikeletError
        If ``threshold`` is not above 0.
    """
    if not 0 < threshold < float("inf"):
        raise SpikeletError(f"NIR export: threshold must be above 0, not {threshold!r}")
    graph = _Graph(plastic, image or plastic.image, threshold)
    contents = io.BytesIO()
    with h5py.File(contents, "w") as hdf:
        hdf.create_dataset("version", data=_NIR_VERSION, dtype=h5py.string_dtype())
        graph.write(hdf.create_group("node"))
    return contents.getvalue(), graph.left_out()


@dataclass(eq=False)
class _Graph:
    plastic: Plastic
    image: ChipImage
    threshold: float
    nodes: dict[str, tuple[str, _Fields]] = field(default_factory=dict)
    edges: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for group in self.plastic.inputs:
            self.nodes[group.name] = (Input.kind, {"shape": np.array([group.size])})
        for population in self.plastic.populations:
            self._neurons(population)
        biased = set()
        for projection in self.plastic.projections:
            first = projection.target not in biased  # one of them brings the bias
            biased.add(projection.target)
            self._projection(projection, with_bias=first)
        for name in self.plastic.outputs:
            size = self.plastic.population(name).size
            self._add(f"{name} output", Output.kind, {"shape": np.array([size])}, name, None)

    def _core(self, population: PlacedPopulation) -> tuple[CoreParams, CoreImage, float]:
        """Return a population's core, its contents, and the value of a potential LSB."""
        core = self.plastic.chip.cores[population.core]
        contents = self.image.cores[population.core]
        largest = _values(core, contents, "threshold", population).max()
        return core, contents, self.threshold / max(1, int(largest))

    def _add(
        self, name: str, kind: str, fields: _Fields, source: str | None, target: str | None
    ) -> None:
        self.nodes[name] = (kind, fields)
        self.edges += [(source, name)] if source else []
        self.edges += [(name, target)] if target else []

    def _neurons(self, population: PlacedPopulation) -> None:
        core, contents, lsb = self._core(population)
        units = {"threshold": lsb, RESET_POTENTIAL: lsb, "decay": 1 / (1 << FRACTION_BITS)}
        parameters = {
            name: _values(core, contents, name, population) * unit
            for name, unit in units.items()
            if _differs(core, name)
        }
        if "adaptation" in core.update.kept and "adaptation_fraction" in core.constants:
            raised = contents.states["adaptation"][: population.size].astype(np.int64)
            threshold = _values(core, contents, "threshold", population)
            threshold = threshold + (raised >> core.constants["adaptation_fraction"])
            parameters["threshold"] = np.minimum(threshold, core.v_max) * lsb
        self.nodes[population.name] = neuron_node(parameters, self.plastic.dt, population.size)
        if _differs(core, "inhibition"):
            name = population.name
            strength = _values(core, contents, "inhibition", population) * lsb
            others = np.tile(-strength[:, None], (1, population.size))
            np.fill_diagonal(others, 0.0)
            self._add(f"{name} inhibition", *Linear.written(others), name, name)

    def _projection(self, projection: PlacedProjection, *, with_bias: bool) -> None:
        source, target = projection.source, projection.target
        population = self.plastic.population(target)
        core, contents, lsb = self._core(population)
        name = f"{source}->{target}"
        weights = contents.weights[projection.axons, : population.size].astype(np.float64)
        matrix = weights.T * (2.0**core.weight_exponent * lsb)
        kind, fields = Linear.written(matrix)
        if with_bias and _differs(core, BIAS):
            bias = _values(core, contents, BIAS, population) * lsb
            kind, fields = Affine.written(matrix, bias)
        from_inputs = source in (group.name for group in self.plastic.inputs)
        waiting = projection.delay - (0 if from_inputs else 1)  # any simulator takes a step
        if waiting:
            delays = np.full(projection.n_source, waiting * self.plastic.dt)
            self._add(f"{name} delay", "Delay", {"delay": delays}, source, name)
        self._add(name, kind, fields, None if waiting else source, target)

    def left_out(self) -> list[str]:
        """Return what the file does not express, in words."""
        found = []
        cores = self.plastic.chip.cores
        for population in self.plastic.populations:
            core = cores[population.core]
            if core.learning:
                found.append(f"how {population.name} learns: {core.learning.name}")
            if not reset_metadata(core.neuron):
                found.append(
                    f"the neurons of {population.name}, of model {core.neuron.name}: nodes without "
                    "or with a leak stand in their place"
                )
            if _differs(core, "inhibition"):
                found.append(
                    f"that the inhibition of {population.name} does not add up where several of "
                    "its neurons fire in a tick"
                )
        if len({core.neuron for core in cores}) > 1:
            found.append("how neurons reset: the populations have different neuron models")
        return found

    def metadata(self) -> dict[str, Any]:
        """Return what the importer, and a reader, may want to know."""
        cores = self.plastic.chip.cores
        known: dict[str, Any] = {"dt": self.plastic.dt, "simulator": "spikelet"}
        if len({core.neuron for core in cores}) == 1:
            known |= reset_metadata(cores[0].neuron)
        for population in self.plastic.populations:
            if rule := cores[population.core].learning:
                known[f"rule of {population.name}"] = f"{rule.name}: dw = {rule.dw}"
        return known

    def write(self, root: Any) -> None:
        """Write the graph into an HDF5 group, as ``nir.write`` does."""
        root.create_dataset("type", data="NIRGraph", dtype=h5py.string_dtype())
        nodes = root.create_group("nodes")
        for name, (kind, fields) in self.nodes.items():
            node = nodes.create_group(name)
            node.create_dataset("type", data=kind, dtype=h5py.string_dtype())
            for key, values in fields.items():
                node.create_dataset(key, data=values, compression="gzip")
        root.create_dataset("edges", data=self.edges, dtype=h5py.string_dtype())
        metadata = root.create_group("metadata")
        for key, value in self.metadata().items():
            metadata.create_dataset(key, data=value)


def _differs(core: CoreParams, name: str) -> bool:
    """Return whether a core's model has a parameter that is not its default."""
    if name not in core.parameters:
        return False
    return core.parameters[name] != core.neuron.parameter(name).default


def _values(
    core: CoreParams, contents: CoreImage, name: str, population: PlacedPopulation
) -> npt.NDArray[np.float64]:
    """Return a parameter of each neuron in use, in the core's units, shape (size,)."""
    value = core.parameters[name]
    given = np.array([value]) if isinstance(value, int) else contents.parameters[name]
    values = given if len(given) == 1 else given[: population.size]
    return np.broadcast_to(values, (population.size,)).astype(np.float64)
