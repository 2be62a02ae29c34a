"""Spikes of an inference, and how much faster than biology it is."""

from spikelet.measures.measure import Figure, Measure
from spikelet.measures.subject import Subject

__all__ = ["MEASURES"]


def _spikes(subject: Subject) -> list[Figure]:
    if subject.spikes is None:
        return []
    parts = [Figure(float(counts.sum()), name) for name, counts in subject.spikes.items()]
    whole = sum(part.value for part in parts)
    return [*parts, Figure(whole, "all", f"{subject.ticks:,.1f} ticks, inputs included")]


def _speed(subject: Subject) -> list[Figure]:
    step = subject.compiled.network.dt
    if not step or not subject.ticks or not subject.cycles:
        return []
    return [
        Figure(
            step * subject.ticks * 1e6 * mhz / subject.cycles,
            name,
            f"at {mhz:.1f} MHz, {1000 * step:g} ms a tick",
        )
        for name, mhz in subject.clocks
    ]


MEASURES = (
    Measure(
        "spikes_per_inference",
        "Spikes per inference",
        "",
        "Spikes of inputs and neurons in a sample, mean",
        "the count behind the activation sparsity of NeuroBench (Yik et al. 2025)",
        "a run with spikes (`spikelet verify`)",
        _spikes,
    ),
    Measure(
        "speed_over_biology",
        "Speed over biological time",
        "",
        "Ticks of a sample × the network's time step / (clock cycles of the sample / clock); the "
        "host's transfers are not included",
        "the acceleration factor of Schemmel et al., ISCAS 2010",
        "a network with a time step, a run, and a build (`spikelet build`)",
        _speed,
    ),
)
