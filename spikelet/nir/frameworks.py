"""The conventions that are there, and which of them a file's numbers fit."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.errors import SpikeletError
from spikelet.description.summary import summary
from spikelet.network.network import FloatArray
from spikelet.nir.convention import CURRENT_GAINS, DECAYS, GAINS, STEPS, WRITTEN, Convention, Rule
from spikelet.nir.conventions.nir import NIR, SPIKELET
from spikelet.nir.conventions.norse import NORSE
from spikelet.nir.conventions.rockpool import ROCKPOOL
from spikelet.nir.conventions.sinabs import SINABS, SINABS_UNNORMALISED
from spikelet.nir.conventions.snntorch import SNNTORCH
from spikelet.nir.conventions.spikingjelly import SPIKINGJELLY
from spikelet.nir.conventions.spyx import SPYX
from spikelet.nir.graph import NirNode

__all__ = [
    "FRAMEWORKS",
    "NIR",
    "SNNTORCH",
    "SPIKELET",
    "Constants",
    "constants",
    "framework_named",
    "misfit",
]

FRAMEWORKS: Mapping[str, Convention] = {
    convention.name: convention
    for convention in (
        *(SNNTORCH, NORSE, SINABS, SINABS_UNNORMALISED, SPIKINGJELLY, SPYX, ROCKPOOL, NIR),
    )
}
"""By name, as ``--framework`` takes them; a test compares them with the files."""

_Fields = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True, eq=False)
class Constants:
    """What a tick makes of potentials and inputs, by a convention; each of shape (1,) or (size,).

    Parameters
    ----------
    decay : array of float64
        Factor of the potential; 1 where there is no leak.
    gain : array of float64
        Factor of the input, or of the synaptic current.
    decay_i, current_gain : array of float64, or None
        Factors of the synaptic current, and of what arrives at it.
    """

    __repr__ = summary

    decay: FloatArray
    gain: FloatArray
    decay_i: FloatArray | None = None
    current_gain: FloatArray | None = None


def framework_named(name: str, what: str = "--framework") -> Convention:
    """Return a convention; SpikeletError, opened by ``what``, with the names that there are."""
    if name not in FRAMEWORKS:
        raise SpikeletError(
            f"{what} must be one of {', '.join(FRAMEWORKS)}, not {name!r}",
            remedy="name the framework that wrote the file; nir takes NIR's equations as they are",
        )
    return FRAMEWORKS[name]


def constants(
    convention: Convention, kind: str, fields: _Fields, dt: float | None, *, exact: bool = True
) -> Constants:
    """Return what a node's numbers mean by a convention that has a rule for its kind.

    Parameters
    ----------
    convention : Convention
    kind : str
    fields : mapping of str to array
        As stored; shapes must agree.
    dt : float or None
        Seconds per tick; None: the convention's.
    exact : bool
        Whether bits are dropped that float32 leaves unsure; see :func:`without_noise`.
    """
    rule, r = convention.rule(kind), _numbers(fields, "r")
    time, syn = _times(fields)
    with np.errstate(all="ignore"):
        if not time:
            return Constants(np.ones(1), _cleaned(GAINS[rule.gain](np.ones(1), r), fields, "r"))
        step = _step(convention, dt)
        raw = step / _numbers(fields, time)
        rate = _cleaned(raw, fields, time) if exact else raw
        decay = DECAYS[rule.decay](rate, r)
        decay = np.clip(decay, 0, 1) if rule.clamped else decay
        gain = _cleaned(GAINS[rule.gain](raw, r), fields, time, "r")
        if not syn:
            return Constants(decay, gain)
        raw = step / _numbers(fields, syn)
        w_in = _numbers(fields, "w_in") if "w_in" in fields else np.ones(1)
        decay_i = _decay_i(rule, _cleaned(raw, fields, syn) if exact else raw)
        arrives = CURRENT_GAINS[rule.current_gain](raw, w_in)
        return Constants(decay, gain, decay_i, _cleaned(arrives, fields, syn, "r"))


def misfit(
    convention: Convention, nodes: Iterable[NirNode], dt: float | None
) -> tuple[NirNode, str] | None:
    """Return the first node whose numbers its exporter does not write, and what shows it, or None.

    Parameters
    ----------
    convention : Convention
    nodes : iterable of NirNode
        Neurons.
    dt : float or None
        Seconds per tick; None: the convention's.
    """
    for node in nodes:
        for words in _misfits(convention, node, dt):
            return node, words
    return None


def _misfits(convention: Convention, node: NirNode, dt: float | None) -> Iterator[str]:
    rule = convention.rules.get(node.kind)
    if rule is None:
        yield f"{convention.title} writes no {node.kind} nodes"
        return
    time, syn = _times(node.fields)
    step = _step(convention, dt)
    tau = _numbers(node.fields, time) if time else np.ones(1)
    if time and rule.r and not ((tau >= rule.tau[0]) & (tau <= rule.tau[1])).all():
        low, high = (f"{end:g}" if np.isfinite(end) else "" for end in rule.tau)
        yield f"{time} is {_first(tau)}; {convention.title} writes {low}..{high}"
    written = [("r", rule.r, tau)]
    if syn and "w_in" in node.fields:
        written.append(("w_in", rule.w_in, _numbers(node.fields, syn)))
    for name, formulas, constant in written:
        values = _numbers(node.fields, name)
        apart = [_apart(values, WRITTEN[f], step, constant, node.fields) for f in formulas]
        if apart and all(found is not None for found in apart):
            neuron, is_value, should = apart[-1] or (0, 0.0, 0.0)
            yield (
                f"neuron {neuron} has {name} {is_value:.7g} where {convention.title} writes "
                f"{formulas[-1]}{'' if formulas[-1] == '1' else f' = {should:.7g}'}"
            )


def _apart(
    values: FloatArray, formula: Any, step: float, tau: FloatArray, fields: _Fields
) -> tuple[int, float, float] | None:
    """Return the first neuron whose value is not by the formula, its value, and what it should be.

    Apart by more than a few last bits; where shapes do not fit, as far as the shorter goes: that
    they fit the layer is checked where its size is known.
    """
    found, constant = _alike(values, tau)
    with np.errstate(all="ignore"):
        should = np.broadcast_to(formula(step / constant, found), found.shape)
        near = np.abs(found - should) <= _tolerance(fields) * np.maximum(np.abs(should), 1)
    other = np.flatnonzero(~np.where(np.isfinite(should), near, found == should))
    if not other.size:
        return None
    k = int(other[0])
    return k, float(found[k]), float(should[k])


def _alike(one: FloatArray, other: FloatArray) -> tuple[FloatArray, FloatArray]:
    sizes = one.size, other.size
    size = min(sizes) if min(sizes) > 1 else max(sizes)
    return np.resize(one, size), np.resize(other, size)


def _tolerance(fields: _Fields) -> float:
    """Return the relative error that an exporter's arithmetic may have: a few last bits."""
    dtypes = [values.dtype for values in fields.values() if values.dtype.kind == "f"]
    return 8 * max((float(np.finfo(d).eps) for d in dtypes), default=float(np.finfo(float).eps))


def _times(fields: _Fields) -> tuple[str, str]:
    """Return the names of a node's time constants, of potential and current; empty: none."""
    time = next((name for name in ("tau", "tau_mem") if name in fields), "")
    return time, "tau_syn" if "tau_syn" in fields else ""


def _step(convention: Convention, dt: float | None) -> float:
    given = convention.dt if dt is None else dt
    return STEPS[convention.step](1.0 if given is None else given)


def _decay_i(rule: Rule, rate: FloatArray) -> FloatArray:
    """Return the decay of a synaptic current: like the potential's, but never ``r`` itself."""
    formula = "1 - dt/tau" if rule.decay == "r" else rule.decay
    decay = DECAYS[formula](rate, np.ones(1))
    return np.clip(decay, 0, 1) if rule.clamped else decay


def _numbers(fields: _Fields, name: str) -> FloatArray:
    return np.asarray(fields[name], np.float64).ravel()


def _first(values: FloatArray) -> str:
    return (
        f"{values.min():g}"
        if values.min() == values.max()
        else (f"{values.min():g}..{values.max():g}")
    )


def _cleaned(values: FloatArray, fields: _Fields, *names: str) -> FloatArray:
    """Return constants derived from stored fields, less their last two, unsure bits.

    snnTorch's export stores ``tau = dt / (1 - beta)`` in float32: ``r * dt / tau`` comes back as
    0.99999994 or 1.0000001. Left alone, a potential that should equal its threshold exactly is
    just above it in float and not in integers, or the other way round.
    """
    dtypes = [fields[name].dtype for name in names]
    bits = min(np.finfo(d).nmant if d.kind == "f" else 52 for d in dtypes) - 1
    mantissa, exponent = np.frexp(values)
    rounded: FloatArray = np.ldexp(np.round(np.ldexp(mantissa, bits)), exponent - bits)
    return np.where(np.isfinite(values), rounded, values)
