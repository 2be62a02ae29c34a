"""Random learning rules, and chips with plastic cores, for differential tests."""

from dataclasses import replace

import numpy as np

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.image import ChipImage, random_states
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError
from spikelet.description.learning.devices import Devices
from spikelet.description.learning.rule import LearningRule, TraceParams
from spikelet.description.learning.text import TRACES
from spikelet.description.neurons.adaptation import Adaptation
from spikelet.description.neurons.error import ErrorParams, with_error
from tests.helpers.random_chips import random_chip_of, random_core, random_image

__all__ = [
    "random_plastic_chip",
    "random_plastic_image",
    "random_reward",
    "random_rule",
    "with_teachers",
]

_COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")


def random_trace(rng: np.random.Generator) -> TraceParams:
    """Return a trace of any kind."""
    bits = int(rng.integers(1, 9))
    shift = int(rng.integers(0, 5))
    return TraceParams(
        increment=int(rng.integers(1, 1 << bits)),
        decay=0 if shift else int(rng.integers(0, 4096)),
        decay_shift=shift,
        bits=bits,
        mode=str(rng.choice(["add", "set"])),
    )


def _factor(rng: np.random.Generator, names: list[str]) -> str:
    name = str(rng.choice(names))
    kind = rng.integers(0, 4)
    if kind == 0:
        return f"({name} {rng.choice(_COMPARISONS)} {rng.integers(0, 20)})"
    if kind == 1:
        return f"({name} - {rng.integers(0, 20)})"
    if kind == 2 and len(names) > 1:
        other = str(rng.choice([n for n in names if n != name]))
        return f"({other} + {rng.integers(0, 9)} - {name})"
    return name


def _term(rng: np.random.Generator, names: list[str]) -> str:
    trigger = str(rng.choice(["x0", "y0", "x0*y0", "x0", "y0", "u0", "u1", "u3", ""]))
    usable = [*names, "w"]
    if trigger == "x0":
        usable += ["v"] * int(rng.integers(0, 2))
    factors = [_factor(rng, usable) for _ in range(rng.integers(0, 3))]
    if not trigger:
        factors.append("r")
    parts = [*([trigger] if trigger else []), *factors, f"2^{rng.integers(-5, 2)}"]
    if rng.integers(0, 3) == 0:
        parts.append(str(rng.integers(1, 6)))
    rng.shuffle(parts)
    return "*".join(parts)


def _sum(rng: np.random.Generator, names: list[str]) -> str:
    terms = [_term(rng, names) for _ in range(rng.integers(1, 4))]
    return "".join(f" {rng.choice(['+', '-'])} {term}" for term in terms).lstrip(" +")


def random_rule(rng: np.random.Generator, core: CoreParams) -> LearningRule:
    """Return any rule that this core can take."""
    while True:
        tags = bool(rng.integers(0, 3) == 0)
        names = [n for n in (*TRACES, "r") if rng.integers(0, 2)]
        names += ["t"] if tags else []
        dw = _sum(rng, names)
        dt = _sum(rng, names) if tags else ""
        used = f"{dw} {dt}"
        low = int(rng.integers(core.weight_min, core.weight_max))
        try:
            rule = LearningRule(
                dw,
                dt,
                **{n: random_trace(rng) for n in TRACES if n in used},
                w_min=low,
                w_max=int(rng.integers(low + 1, core.weight_max + 1)),
                rounding=str(rng.choice(["nearest", "stochastic"])),
                tag_bits=int(rng.integers(2, 9)) if tags else 0,
                tag_rounding=str(rng.choice(["toward_zero", "nearest", "stochastic"])),
                reward_bits=int(rng.integers(2, 9)),
            )
            rule.check(core.weight_min, core.weight_max, core.potential_bits)
        except SpikeletError:
            continue
        return rule


_TERMS = (
    "2^-2*e*x1",
    "2^-4*e*(x1 - 3)",
    "e*x0",
    "2^-1*e*y0",
    "3*y0*(e < 0)",
    "2^-3*r*e*x1",
    "2^-1*(e >= 4)*(x1 > 2)*y0*x0",
    "2^-5*e*(w_max - w)",
    "(e != 0)*x1",
)


def random_plastic_chip(
    rng: np.random.Generator, *, most_cores: int = 2, teachers: bool = False
) -> ChipParams:
    """Return a chip of small cores, the first of which is plastic, if asked with teachers."""
    first = _plastic(rng, random_core(rng, graded=False))
    cores = [_maybe_taught(rng, first) if teachers else first]
    cores += [random_core(rng, graded=False) for _ in range(rng.integers(0, most_cores))]
    return random_chip_of(rng, tuple(cores))


def _maybe_taught(rng: np.random.Generator, core: CoreParams) -> CoreParams:
    (own,) = rng.spawn(1)  # so that what else is drawn stays as it is
    return (with_teachers(own, core) if own.random() < 0.5 else None) or core


def _plastic(rng: np.random.Generator, core: CoreParams) -> CoreParams:
    core = replace(
        core,
        weight_format="unsigned" if core.weight_bits == 1 else core.weight_format,
        first_tick=0,
        n_axons=int(rng.integers(1, 60)),
        n_neurons=core.lanes * int(rng.integers(1, 1 + max(1, 32 // core.lanes))),
    )
    parameters = dict(core.parameters)
    if "adaptation_bits" in parameters and rng.integers(0, 2):
        bits = int(rng.integers(4, 20))
        adaptation = Adaptation(
            increment=int(rng.integers(1, 1 << bits)),
            decay_shift=int(rng.integers(0, 6)),
            fraction_bits=int(rng.integers(0, 5)),
            bits=bits,
        )
        parameters |= adaptation.constants
    return replace(core, learning=random_rule(rng, core), parameters=parameters)


def with_teachers(rng: np.random.Generator, core: CoreParams) -> CoreParams | None:
    """Return a plastic core with teachers, an error, and a rule that reads it; None: it cannot be.

    Half of the terms are those of any rule; with a tag they may load it, too.
    """
    error = ErrorParams(
        bits=int(rng.integers(2, 10)),
        decay=int(rng.choice([0, 2000, 4000])),
        spike=int(rng.choice([0, 1, 9])),
        window=int(rng.integers(0, 40)) if rng.integers(2) else None,
    )
    rule = random_rule(rng, core)
    extra = [str(term) for term in rng.choice(_TERMS, rng.integers(1, 3), replace=False)]
    fields = rule.to_dict()
    target = "dt" if rule.dt and rng.integers(2) else "dw"
    fields |= {target: " - ".join([fields[target], *extra]), "error_bits": error.bits}
    used = f"{fields['dw']} {fields['dt']}"
    for name in TRACES:
        fields[name] = getattr(rule, name) or (random_trace(rng) if name in used else None)
    try:
        return replace(
            core,
            teacher_axons=int(rng.integers(1, core.n_axons)) if core.n_axons > 1 else 0,
            neuron=with_error(core.neuron, error),
            learning=type(rule)(**fields),
        )
    except SpikeletError:
        return None


def random_plastic_image(rng: np.random.Generator, chip: ChipParams) -> ChipImage:
    """Return contents that keep neurons active; some axons are plastic."""
    cores = []
    for core, image in zip(chip.cores, random_image(rng, chip).cores, strict=True):
        changes: dict[str, object] = {}
        if rule := core.learning:
            plastic = rng.random(core.n_axons) < rng.choice([0.5, 0.9, 1.0])
            weights = image.weights.copy()
            weights[plastic] = np.clip(weights[plastic], rule.w_min, rule.w_max)
            changes |= {"plastic": plastic, "weights": weights}
            if rule.tag_bits:
                largest = (1 << (rule.tag_bits - 1)) - 1
                shape = (core.n_axons, core.n_neurons)
                changes["tags"] = rng.integers(-largest - 1, largest + 1, shape).astype(np.int8)
            if rule.stochastic:
                changes["random"] = random_states(core.lanes, int(rng.integers(1 << 30)))
            if rule.devices:
                changes |= _random_devices(rng, rule.devices, plastic, weights)
        if core.learning and "b" in core.learning.variables:
            changes["rule_bits"] = rng.random(core.n_axons) < 0.5
        if core.short_term:
            plain = np.arange(core.n_axons) < core.n_axons - core.teacher_axons
            changes["short_term"] = (rng.random(core.n_axons) < 0.7) & plain
        cores.append(replace(image, **changes))
    return ChipImage(tuple(cores))


def _random_devices(
    rng: np.random.Generator, devices: Devices, plastic: np.ndarray, weights: np.ndarray
) -> dict[str, np.ndarray]:
    """Return devices of any state, and the weights that they make."""
    ranges = {name: 1 << bits for name, (_, bits) in devices.fields.items()}
    ranges |= {f"{side}level": devices.levels for side in devices.sides}
    codes = devices.codes(
        **{n: rng.integers(0, top, (devices.count, *weights.shape)) for n, top in ranges.items()}
    )
    codes[:, ~plastic] = 0
    sums = devices.weights(codes).astype(np.int16)
    selected = rng.integers(0, devices.count, 1).astype(np.int32)
    weights = np.where(plastic[:, None], sums, weights)
    return {"devices": codes, "selected": selected, "weights": weights}


def random_reward(
    rng: np.random.Generator, chip: ChipParams, samples: int, ticks: int
) -> np.ndarray:
    """Return rewards that every plastic core can take, 0 in most ticks."""
    bits = min([c.learning.reward_bits for c in chip.cores if c.learning] or [8])
    values = rng.integers(-(1 << (bits - 1)), 1 << (bits - 1), (samples, ticks))
    return values * (rng.random((samples, ticks)) < 0.3)
