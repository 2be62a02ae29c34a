"""Neuron models in words, as ``spikelet neurons`` prints them."""

from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any

from spikelet.description.chip.core import CoreParams
from spikelet.description.errors import SpikeletError
from spikelet.description.neurons.model import KINDS, NeuronModel, Parameter, State
from spikelet.description.neurons.models import neuron_model, neuron_models

__all__ = [
    "listed_models",
    "model_fields",
    "model_lines",
    "show_model",
    "show_models",
    "usual_core",
]

_AXONS = _NEURONS = 256


def listed_models(models: Iterable[NeuronModel]) -> list[str]:
    """Return two lines for each model: name, description, states, and where it comes from."""
    lines = []
    for model in models:
        lines.append(f"{model.name}: {model.description}")
        source = f"; {model.source}" if model.source else ""
        lines.append(f"    states {', '.join(model.state_names)}{source}")
    return lines


def model_lines(model: NeuronModel) -> list[str]:
    """Return all of a model: text, states, parameters, ranges, defaults, and latency."""
    heading = f"{model.name}, version {model.version}"
    lines = [f"{heading}: {model.description}" if model.description else heading]
    lines += [f"source: {model.source}"] if model.source else []
    if model.lsb:
        lines.append(f"one potential LSB is {model.lsb:g}; the scale of the weights follows")
    lines += ["", *(line for line in model.text.splitlines() if line.strip())]
    declared: list[tuple[str, tuple[State | Parameter, ...]]] = [
        ("states", model.states),
        ("parameters", model.parameters),
    ]
    for title, items in declared:
        lines += ["", f"{title}:"] if items else []
        for item in items:
            text = f"    {item.name}: {item.kind}, {_range(item)}{_usage(item)}"
            lines.append(f"{text}; {item.description}" if item.description else text)
    fields = model_fields(model)
    if fields["latency"] is not None:
        states = ", ".join(f"{name} {bits}" for name, bits in fields["state_bits"].items())
        lines += [
            "",
            f"in a core of {_AXONS} axons by {_NEURONS} neurons, potentials of 16 bits, all "
            "parameters that can be loaded in registers:",
            f"    latency: {fields['latency']} clock cycles of the update pipeline",
            f"    bits of states: {states}",
        ]
    return lines


def model_fields(model: NeuronModel) -> dict[str, Any]:
    """Return a model as a JSON-compatible object: its file, with latency and bits of states.

    They are those of :func:`usual_core`, and None of a model that needs constants for which it has
    no defaults.
    """
    core = usual_core(model)
    return {
        **model.to_dict(),
        "latency": len(core.update.lines) if core else None,
        "state_bits": dict(core.state_bits) if core else None,
    }


def usual_core(model: NeuronModel) -> CoreParams | None:
    """Return a core of 256 axons by 256 neurons, with all parameters that can be in registers.

    None if the model needs constants for which it has no defaults.
    """
    shared: dict[str, str | int] = {p.name: "shared" for p in model.parameters if not p.constant}
    if any(p.constant and p.default is None for p in model.parameters):
        return None
    try:
        return CoreParams(_AXONS, _NEURONS, model, parameters=shared)
    except SpikeletError as error:
        raise SpikeletError(
            f"neuron model {model.name!r} does not fit a core of {_AXONS} axons and potentials of "
            f"16 bits: {error.args[0]}",
            remedy=error.remedy,
        ) from None


def _range(item: State | Parameter) -> str:
    low, high = (
        usual if given is None else given
        for given, usual in zip((item.low, item.high), KINDS[item.kind], strict=True)
    )
    return f"{low}..{high}"


def _usage(item: State | Parameter) -> str:
    if isinstance(item, State):
        return ", kept by clear" if item.kept else ""
    default = "must be given" if item.default is None else f"default {item.default}"
    return f", {default}{', built in' if item.constant else ''}"


def show_models(say: Callable[[str], None]) -> dict[str, Any]:
    """Print the models that there are; return the same as JSON-compatible values."""
    models = neuron_models().values()
    for line in listed_models(models):
        say(line)
    return {"neurons": [model_fields(found) for found in models]}


def show_model(model: str, cost: str | None, say: Callable[[str], None]) -> dict[str, Any]:
    """Print all of a model; return the same as JSON-compatible values.

    Parameters
    ----------
    model : str
        A name or a file.
    cost : str or None
        A family or device, for which its pipeline is built.
    say : callable
        Prints a line.
    """
    found = neuron_model(model)
    for line in model_lines(found):
        say(line)
    fields = model_fields(found)
    if cost:
        # the hardware tools are needed here only
        from spikelet.fpga.families import device_named, devices
        from spikelet.fpga.neuron_cost import neuron_cost

        of_family = (name for name, device in devices().items() if device.family.name == cost)
        device = device_named(next(of_family, cost))
        taken = neuron_cost(found, device, progress=say)
        say(
            f"on {taken.device}: {taken.luts:,} LUTs, {taken.flip_flops:,} flip-flops, "
            f"{taken.dsps:,} multipliers, {taken.fmax_mhz:.0f} MHz for one update pipeline"
        )
        fields["cost"] = asdict(taken)
    return fields
