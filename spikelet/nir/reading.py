"""How a file is read: by whose convention, with which neuron models, at which time step."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from spikelet.description.errors import SpikeletError
from spikelet.description.neurons.model import NeuronModel
from spikelet.description.neurons.models import neuron_model
from spikelet.description.neurons.update import sends_counts
from spikelet.description.summary import summary
from spikelet.network.network import FloatArray
from spikelet.network.origin import Origin
from spikelet.nir.convention import Convention, Rule
from spikelet.nir.frameworks import FRAMEWORKS
from spikelet.nir.graph import NirGraph
from spikelet.nir.metadata import said_of

__all__ = ["Reading"]


@dataclass(frozen=True, eq=False)
class Reading:
    """What the numbers of a file mean.

    Parameters
    ----------
    convention : Convention
        Of the numbers.
    models : Convention
        Of the neuron models: the same, unless another's model was given.
    reset : str or None
        How the neurons reset, a key of the models' rules; None for a model that is of no
        convention.
    given : NeuronModel or None
        The model that was given.
    dt : float or None
        Seconds per tick; None where nothing depends on it.
    stated : str
        Who says whose convention it is; empty: nobody.
    doubts : tuple of str
        See :class:`Origin`.
    named : mapping of str to NeuronModel
        Models of single nodes, which the file names.
    told : mapping of str to mapping of str to array of float64
        Parameters of these nodes that NIR has no field for, which the file has in its metadata.
    """

    __repr__ = summary

    convention: Convention
    models: Convention
    reset: str | None
    given: NeuronModel | None
    dt: float | None
    stated: str
    doubts: tuple[str, ...] = ()
    named: Mapping[str, NeuronModel] = field(default_factory=dict)
    told: Mapping[str, Mapping[str, FloatArray]] = field(default_factory=dict)

    def rule(self, kind: str) -> Rule:
        """Return what the convention says of a node kind; SpikeletError if it has none."""
        if kind not in self.convention.rules:
            raise SpikeletError(
                f"{self.convention.title} writes no {kind} nodes",
                remedy="name the framework that wrote the file: --framework with one of "
                f"{', '.join(FRAMEWORKS)}",
            )
        return self.convention.rules[kind]

    def model(self, kind: str, recurrent: bool = False, name: str = "") -> NeuronModel:
        """Return the model of a node kind's neurons.

        Parameters
        ----------
        kind : str
        recurrent : bool
            Whether their spikes come back to them.
        name : str
            Of the node, if one is meant.

        Raises
        ------
        SpikeletError
            If its neurons do not reset so.
        """
        if name in self.named:
            return self.named[name]
        rule = self.models.rules.get(kind)
        if rule is None or self.reset is None:
            return self.given or neuron_model("nir-euler")
        if self.reset not in rule.models:
            raise SpikeletError(
                f"{self.models.title} has no {kind} with reset {self.reset!r}",
                remedy=f"those that it has: {', '.join(rule.models)}",
            )
        name = rule.models[self.reset]
        if recurrent:
            name = rule.recurrent.get(self.reset, name)
        return neuron_model(name)

    def origin(self, graph: NirGraph, notes: tuple[str, ...]) -> Origin:
        """Return it in words; ``notes`` are of single nodes."""
        kinds = dict.fromkeys(n.kind for n in graph.nodes.values() if n.kind in graph.neurons)
        unsaid = self.convention.unsaid if self.convention is self.models else ()
        unread = said_of(graph).unread
        return Origin(
            str(graph.path),
            self.convention.name,
            (
                f"as {self.convention.title} writes it ({self.stated or 'nobody says so'})",
                *([f"{self.dt:g} seconds a tick"] if self.dt is not None else []),
                *(self._words(kind, graph) for kind in kinds if kind in self.convention.rules),
                *notes,
                *([f"metadata not read: {', '.join(unread)}"] if unread else []),
            ),
            unsaid,
            (
                f"{self.convention.title} lets a neuron spike several times in a tick; here it "
                "spikes once, and again in the ticks after",
            )
            if self._once(kinds)
            else (),
            self.doubts,
        )

    def _once(self, kinds: Iterable[str]) -> bool:
        """Return whether neurons that spike several times in a tick are read as spiking once."""
        if not self.convention.several or self.reset == "subtract-once":
            return False
        known = [kind for kind in kinds if kind in self.convention.rules]
        return not all(sends_counts(self.model(kind)) for kind in known)

    def _words(self, kind: str, graph: NirGraph) -> str:
        rule = self.convention.rules[kind]
        unit = {"dt dt": ", tau is times dt", "1": ", tau counts ticks"}.get(
            self.convention.step, ""
        )
        decay = f"decay {rule.decay}{unit}, " if rule.decay else "no decay, "
        nodes = [node.name for node in graph.nodes.values() if node.kind == kind]
        models = dict.fromkeys(self.model(kind, name=node).name for node in nodes)
        return (
            f"{kind}: {decay}input gain {rule.gain}, start {rule.start}, "
            f"neuron model {', '.join(models)}"
        )
