"""Additions of the spiking network for each multiplication of an equal network of numbers."""

from spikelet.measures.measure import Figure, Measure
from spikelet.measures.subject import Subject

__all__ = ["MEASURES", "MOST_ADDITIONS", "verdict"]

MOST_ADDITIONS = 3.0
"""Additions for a multiplication up to which spikes pay.

In the table of Horowitz 2014, multiplying and adding numbers of 16-bit floating point takes 1.1 and
0.4 pJ: a multiplication with its addition costs as much as 3.75 additions, and 3 is the integer
below.
"""


def verdict(additions: float) -> str:
    """Return in words whether so many additions for a multiplication pay."""
    pays = additions <= MOST_ADDITIONS
    return f"{'pays' if pays else 'does not pay'}: at most {MOST_ADDITIONS:g} pay"


def _additions(subject: Subject) -> list[Figure]:
    if subject.additions is None or not subject.synapses:
        return []
    found = subject.additions / subject.synapses
    note = (
        f"{verdict(found)}; {subject.additions:,.0f} additions of a sample, "
        f"{subject.synapses:,} multiplications"
    )
    return [Figure(found, "", note)]


MEASURES = (
    Measure(
        "additions_per_multiplication",
        "SNN additions per ANN multiplication",
        "",
        "Synaptic operations of a sample / multiplications of one pass of the network of numbers "
        "with the same synapses, one for each synapse",
        "limit: Horowitz 2014, 16-bit floating point",
        "a run with spikes (`spikelet verify`)",
        _additions,
    ),
)
