"""Energy of a sample: an estimate, from what golden counted and a published table of energies."""

from dataclasses import dataclass

from spikelet.measures.measure import Figure, Measure
from spikelet.measures.subject import Subject

__all__ = ["MEASURES", "TABLE", "EnergyTable"]


@dataclass(frozen=True)
class EnergyTable:
    """Energies of operations, in pJ.

    Parameters
    ----------
    source : str
    addition, multiplication : float
        Of 32-bit integers.
    memory_bit : float
        Of a bit read from, or written to, a small memory.
    """

    source: str
    addition: float
    multiplication: float
    memory_bit: float


TABLE = EnergyTable(
    "M. Horowitz, Computing's energy problem (and what we can do about it), ISSCC 2014: 45 nm, "
    "0.9 V",
    addition=0.1,
    multiplication=3.1,
    memory_bit=10 / 64,  # 10 pJ for 64 bits of a memory of 8 KB
)
"""The table of all estimates."""


def _additions(subject: Subject) -> float | None:
    return None if subject.additions is None else subject.additions * TABLE.addition


def _memory(subject: Subject) -> float | None:
    spikes, ticks, compiled = subject.spikes, subject.ticks, subject.compiled
    if spikes is None or ticks is None:
        return None
    weights = sum(
        subject.operations_of(p) * compiled.core(p.target).weight_bits
        for p in compiled.network.projections
    )
    states = sum(
        2 * ticks * used * sum(core.state_bits.values())
        for core, used in zip(compiled.chip.cores, compiled.neurons, strict=True)
    )
    return (weights + states) * TABLE.memory_bit


def _neurons(subject: Subject) -> float | None:
    if subject.ticks is None:
        return None
    return subject.spiking_neurons * subject.ticks * (TABLE.multiplication + TABLE.addition)


def _parts(subject: Subject) -> dict[str, float]:
    found = {
        "synaptic additions": _additions(subject),
        "memory": _memory(subject),
        "neuron updates": _neurons(subject),
    }
    known = {name: value for name, value in found.items() if value is not None}
    return known if len(known) == len(found) else {}


def _of_sample(subject: Subject) -> list[Figure]:
    parts = _parts(subject)
    if not parts:
        return []
    figures = [Figure(value / 1000, name) for name, value in parts.items()]
    return [*figures, Figure(sum(parts.values()) / 1000, "all", "an estimate, not measured")]


def _of_operation(subject: Subject) -> list[Figure]:
    parts = _parts(subject)
    if not parts or not subject.additions:
        return []
    return [Figure(sum(parts.values()) / subject.additions, "", "an estimate, not measured")]


_FORMULA = (
    "synaptic operations × a 32-bit addition; bits of weights read (weight bits a synaptic "
    "operation) and of states read and written (once a neuron and tick) × a bit of an 8 KB memory; "
    "neurons × ticks × (a 32-bit multiplication and an addition)"
)
_RUN = "a run with spikes (`spikelet verify`)"

MEASURES = (
    Measure(
        "energy_estimate",
        "Energy of a sample, an estimate",
        "nJ",
        f"Of standard cells at 45 nm, without clock, wires, network, leakage and host: {_FORMULA}",
        f"Zhang et al. 2020 ask for energy; table: {TABLE.source}",
        _RUN,
        _of_sample,
        estimate=True,
    ),
    Measure(
        "energy_per_operation_estimate",
        "Energy of a synaptic operation, an estimate",
        "pJ",
        "The estimate of a sample / its synaptic operations",
        f"as published chips state it; table: {TABLE.source}",
        _RUN,
        _of_operation,
        estimate=True,
    ),
)
