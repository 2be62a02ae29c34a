"""By whose convention a file is read: what options, metadata and numbers say of it."""

import warnings
from pathlib import Path

import numpy as np

from spikelet.description.errors import SpikeletError, SpikeletWarning
from spikelet.description.neurons.model import NeuronModel
from spikelet.description.neurons.models import neuron_model, neuron_models
from spikelet.description.neurons.update import can_spike
from spikelet.nir.convention import STEPS, Convention
from spikelet.nir.frameworks import FRAMEWORKS, NIR, SPIKELET, constants, framework_named, misfit
from spikelet.nir.graph import NirGraph, NirNode
from spikelet.nir.metadata import Said, said_of
from spikelet.nir.reading import Reading
from spikelet.nir.time_step import given_time_step

__all__ = ["fitting", "reading_of"]


def reading_of(
    graph: NirGraph,
    neuron: NeuronModel | str | Path | None,
    dt: float | None,
    framework: str | None,
) -> Reading:
    """Return how a file is read.

    The framework is that of ``framework``, or of the metadata ``simulator``, or that whose neuron
    model is given. Where none of these says it, NIR's equations are taken as they are, unless the
    numbers are those of a framework that means others by them.

    Parameters
    ----------
    graph : NirGraph
    neuron : NeuronModel, str, Path or None
    dt : float or None
        Seconds per tick.
    framework : str or None
        Name of a convention.

    Raises
    ------
    SpikeletError
        If it is not known how, or options, metadata and numbers contradict each other.

    Warns
    -----
    SpikeletWarning
        If the time step is that of snnTorch's exporter, and nobody said that it wrote the file.
    """
    said = said_of(graph)
    model = None if neuron is None else neuron_model(neuron)
    nodes = [node for node in graph.nodes.values() if node.kind in _KINDS]
    step = given_time_step(graph, dt)
    stated = _stated(graph, framework, said)
    if stated is not None:
        return _stated_reading(graph, stated, model, nodes, step, said)
    if model is None:
        raise _unknown(graph, nodes, step)
    return _implied_reading(graph, model, nodes, step, said)


_KINDS = tuple(dict.fromkeys(kind for c in FRAMEWORKS.values() for kind in c.rules))
"""The node kinds that some convention has a rule for."""


def _stated(graph: NirGraph, framework: str | None, said: Said) -> tuple[Convention, str] | None:
    """Return the convention that option or metadata name, and which of them."""
    found = said.framework
    if framework is None:
        return None if found is None else (found, "metadata 'simulator'")
    convention = framework_named(framework)
    euler = found is SPIKELET and convention is NIR  # the same, where there is a leak
    if found is not None and not euler and not convention.name.startswith(found.name):
        raise SpikeletError(
            f"{graph.path}: its metadata says simulator {graph.metadata['simulator']!r}, but "
            f"--framework is {framework}",
            remedy=f"leave --framework out, or pass {found.name}",
        )
    return convention, "--framework"


def _stated_reading(
    graph: NirGraph,
    stated: tuple[Convention, str],
    model: NeuronModel | None,
    nodes: list[NirNode],
    dt: float | None,
    said: Said,
) -> Reading:
    convention, by = stated
    if wrong := misfit(convention, nodes, dt):
        node, shown = wrong
        raise graph.error(
            node.name,
            f"{by} says {convention.name}, but {shown}",
            remedy=_fitting(nodes, dt, "these numbers fit")
            or "pass the time step of its export (--dt), or another --framework; nir takes NIR's "
            "equations as they are",
        )
    step = convention.dt if dt is None else dt
    if step is None and _timed(convention, nodes):
        raise _no_time_step(graph, _timed(convention, nodes))
    models, reset = convention, convention.reset
    if model is not None:
        for name, named in said.models.items():
            if named != model:
                raise SpikeletError(
                    f"{graph.path}: its metadata say that the neurons of {name!r} are of model "
                    f"{named.name}, but --neuron is {model.name}",
                    remedy="leave --neuron out",
                )
        reset_of = convention.reset_of(model.name)
        if reset_of is None and model.name in neuron_models() and convention not in (NIR, SPIKELET):
            raise SpikeletError(
                f"{graph.path}: {by} says {convention.name}, whose neurons are not of model "
                f"{model.name}",
                remedy=f"leave --neuron out, or pass one of {_models(convention)}; --framework nir "
                "takes any model",
            )
        return Reading(convention, *_of_model(convention, model), model, step, by)
    if {node.name for node in nodes} <= said.models.keys():
        return Reading(
            *(convention, models, reset, None, step, by),
            named=said.models,
            told=said.parameters,
        )
    if said.reset is not None:
        reset = said.reset_in(convention, graph)
    return Reading(convention, models, reset, None, step, by)


def _implied_reading(
    graph: NirGraph, model: NeuronModel, nodes: list[NirNode], dt: float | None, said: Said
) -> Reading:
    named = next((c for c in FRAMEWORKS.values() if model.name.startswith(f"{c.name}-")), NIR)
    if named is not NIR and not misfit(named, nodes, dt):
        if dt is None and (timed := _timed(named, nodes)):
            _warn_of_time_step(graph, named, timed)
        step = named.dt if dt is None and _timed(named, nodes) else dt
        models, reset = _of_model(named, model)
        return Reading(named, models, reset, model, step, f"--neuron {model.name}")
    if dt is None and (timed := _timed(NIR, nodes)):
        shown = misfit(named, timed, dt) if named is not NIR else None
        raise _no_time_step(graph, timed, shown)
    _check_numbers(graph, nodes, dt)
    doubts = [
        f"nothing says which framework wrote {graph.path.name}: its numbers are taken as NIR's "
        "equations have them, by forward Euler; name it with --framework, or give samples with "
        "what it recorded (expected)"
    ]
    if any(np.any(node.fields.get("v_leak", np.zeros(1))) for node in nodes):
        doubts.append(
            "v_leak is not 0, and potentials start at 0, since NIR does not say where: Norse's "
            "start at v_leak (--framework norse), SpikingJelly's at v_reset (spikingjelly)"
        )
    return Reading(NIR, *_of_model(named, model), model, dt, "", tuple(doubts))


def _of_model(convention: Convention, model: NeuronModel) -> tuple[Convention, str | None]:
    """Return the convention whose model this is, the given one first, and how it resets."""
    for found in (convention, *FRAMEWORKS.values()):
        if (reset := found.reset_of(model.name)) is not None:
            return found, reset
    return convention, None


def _check_numbers(graph: NirGraph, nodes: list[NirNode], dt: float | None) -> None:
    """SpikeletError if the numbers are those of frameworks that mean others by them than NIR."""
    if not all(_of_one_size(node) for node in nodes):
        return  # which its handler refuses, where the size of the layer is known
    others = []
    for convention in FRAMEWORKS.values():
        if convention is NIR:
            continue
        for step in dict.fromkeys((dt, convention.dt)):
            if not nodes or misfit(convention, nodes, step):
                continue
            if _same_numbers(convention, nodes, step, dt):
                return
            others.append(convention)
    if others:
        names = " or ".join(dict.fromkeys(c.name for c in others))
        first = nodes[0]
        whose = " or ".join(
            f"{c.title} (r = {' or '.join(c.rules[first.kind].r)})" for c in dict.fromkeys(others)
        )
        raise graph.error(
            first.name,
            f"these are numbers as of {whose}, which means something else by them than NIR's "
            "equations do",
            remedy=f"pass --framework {names}; if NIR's equations are meant, --framework nir",
        )


def _of_one_size(node: NirNode) -> bool:
    """Return whether a node's fields have one value, or as many as each other."""
    return len({values.size for values in node.fields.values()} - {1}) <= 1


def _same_numbers(
    convention: Convention, nodes: list[NirNode], step: float | None, dt: float | None
) -> bool:
    for node in nodes:
        theirs = constants(convention, node.kind, node.fields, step)
        ours = constants(NIR, node.kind, node.fields, dt)
        for one, other in ((theirs.decay, ours.decay), (theirs.gain, ours.gain)):
            if not np.allclose(one, other, rtol=1e-5, atol=1e-9):
                return False
    return True


def _unknown(graph: NirGraph, nodes: list[NirNode], dt: float | None) -> SpikeletError:
    fits = _fitting(nodes, dt, "the numbers fit")
    either = (
        "; of several, that in which it was trained: compile with samples that hold what it "
        "recorded (expected) says whether it was"
        if " or " in fits
        else ""
    )
    others = f"pass --framework with one of {', '.join(FRAMEWORKS)}"
    models = [name for name, model in neuron_models().items() if can_spike(model)]
    return SpikeletError(
        f"{graph.path}: the model of its neurons is not known: neither an option nor the file's "
        "metadata say which framework wrote it, or which model its neurons are of",
        remedy=(f"{fits}{either}; or {others}" if fits else others)
        + f"; or --neuron with one of {', '.join(models)}, or a file",
    )


def fitting(graph: NirGraph, dt: float | None) -> list[str]:
    """Return the frameworks whose exporters write such numbers, by name; none without neurons.

    Parameters
    ----------
    graph : NirGraph
    dt : float or None
        Seconds per tick; None: what the file says, or the exporters take.
    """
    nodes = [node for node in graph.nodes.values() if node.kind in _KINDS]
    return _fitting_names(nodes, given_time_step(graph, dt))


def _fitting_names(nodes: list[NirNode], dt: float | None) -> list[str]:
    return [
        convention.name
        for convention in FRAMEWORKS.values()
        if convention is not NIR and nodes
        if any(not misfit(convention, nodes, step) for step in (dt, convention.dt))
    ]


def _fitting(nodes: list[NirNode], dt: float | None, words: str) -> str:
    """Return which frameworks' numbers these may be, in words; empty if none's."""
    fit = _fitting_names(nodes, dt)
    return f"{words} --framework {' or '.join(fit)}" if fit else ""


def _models(convention: Convention) -> str:
    names = [name for rule in convention.rules.values() for name in rule.models.values()]
    return ", ".join(dict.fromkeys(names))


def _timed(convention: Convention, nodes: list[NirNode]) -> list[NirNode]:
    """Return the nodes whose constants depend on the time step."""
    return [
        node
        for node in nodes
        if node.kind not in convention.rules or convention.rules[node.kind].decay
        if STEPS[convention.step](2.0) != 1 and node.kind != "IF"
    ]


def _no_time_step(
    graph: NirGraph, timed: list[NirNode], shown: tuple[NirNode, str] | None = None
) -> SpikeletError:
    unknown = "the time step is not known: the file has no metadata 'dt'"
    if shown is None:
        return graph.error(
            timed[0].name,
            unknown,
            remedy="pass --dt SECONDS, or the framework that wrote the file (--framework): "
            "snnTorch's exporter implies 1e-4 without writing it",
        )
    node, words = shown
    return graph.error(
        node.name,
        f"{unknown}, and it is not that of the model's framework, since {words}",
        remedy="pass the time step of the training: --dt SECONDS",
    )


def _warn_of_time_step(graph: NirGraph, convention: Convention, timed: list[NirNode]) -> None:
    warnings.warn(
        f"{graph.path}: the time step is taken as {convention.dt:g} s as in "
        f"{convention.title}'s exporter: the file has none, and all of its {len(timed)} nodes with "
        "a time constant are as that exporter writes them; pass --dt for another",
        SpikeletWarning,
        stacklevel=2,
    )
