"""Accuracy, with the interval that so many samples leave."""

from spikelet.measures.measure import Figure, Measure
from spikelet.measures.subject import Subject
from spikelet.samples.samples import Score

__all__ = ["MEASURES", "wilson"]

_95_PERCENT = 1.96
"""Standard deviations of a normal distribution between which 95 % of it are."""


def wilson(correct: float, samples: int) -> tuple[float, float]:
    """Return the 95 % interval of a share: Wilson's score interval.

    E. B. Wilson, J. Am. Stat. Ass. 22, 1927.

    Parameters
    ----------
    correct : float
        0..``samples``.
    samples : int
        1 or more.

    Returns
    -------
    float, float
        Ends of the interval, 0..1.
    """
    z, share = _95_PERCENT, correct / samples
    centre = share + z * z / (2 * samples)
    reach = z * (share * (1 - share) / samples + (z / (2 * samples)) ** 2) ** 0.5
    low, high = ((centre + side * reach) / (1 + z * z / samples) for side in (-1, 1))
    return max(0.0, low), min(1.0, high)


def _scores(subject: Subject) -> list[tuple[str, Score]]:
    found = subject.verification
    if found is None:
        return []
    scores = [("float network", found.float_score), ("golden", found.engines[0].score)]
    return [(name, score) for name, score in scores if score and score.correct is not None]


def _accuracy(subject: Subject) -> list[Figure]:
    figures = []
    for name, score in _scores(subject):
        if score.correct is not None and score.samples:
            low, high = wilson(score.correct, score.samples)
            note = f"95 % interval {100 * low:.1f} to {100 * high:.1f} %, {score.samples:,} samples"
            figures.append(Figure(100 * score.correct / score.samples, name, note))
    return figures


MEASURES = (
    Measure(
        "accuracy",
        "Accuracy",
        "%",
        "Samples classified as labelled / samples, with Wilson's 95 % score interval; a sample "
        "without a class counts as wrong",
        "Zhang et al. 2020; interval: Wilson 1927",
        "labelled samples (`spikelet verify`)",
        _accuracy,
    ),
)
