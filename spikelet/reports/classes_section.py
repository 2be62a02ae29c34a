"""The report's confusion matrix, and the samples that were classified wrongly."""

from typing import Any

import numpy as np

from spikelet.reports.section import Parts, Section

__all__ = ["SECTION", "content"]

_MOST_CLASSES, _MOST_SAMPLES = 32, 50


def content(parts: Parts) -> dict[str, Any] | None:
    """Return golden's classes against the labels; None without labels.

    Returns
    -------
    dict
        ``samples``, ``correct``, ``classes``: counts. ``matrix``: a row for each label, a column
        for each class and a last one for samples without a class; None of more than 32 classes.
        ``wrong``: ``sample``, ``label``, ``found`` (-1: none) and the votes for both, of the first
        50 samples whose class is not the label. ``more``: the count of the others.
    """
    if parts.run is None or parts.samples is None or parts.samples.labels is None:
        return None
    votes = parts.run.votes(parts.decode)
    found = parts.run.classify(parts.decode)
    labels = parts.samples.labels[: len(found)]
    classes = int(max(votes.shape[1], labels.max(initial=0) + 1))
    wrong = np.flatnonzero(found != labels)
    matrix = None
    if classes <= _MOST_CLASSES and labels.min(initial=0) >= 0:
        counts = np.zeros((classes, classes + 1), int)
        np.add.at(counts, (labels, np.where(found < 0, classes, found)), 1)
        matrix = counts.tolist()
    return {
        "samples": len(found),
        "correct": len(found) - len(wrong),
        "classes": classes,
        "matrix": matrix,
        "wrong": [
            {
                "sample": int(sample),
                "label": int(labels[sample]),
                "found": int(found[sample]),
                "votes_label": _vote(votes[sample], labels[sample]),
                "votes_found": _vote(votes[sample], found[sample]),
            }
            for sample in wrong[:_MOST_SAMPLES]
        ],
        "more": max(0, len(wrong) - _MOST_SAMPLES),
    }


def _vote(votes: Any, output: int) -> float | None:
    """Return the votes for an output; None if there is no such output."""
    return float(votes[output]) if 0 <= output < len(votes) else None


SECTION = Section("confusion", "Confusion matrix", "classes_section.html.j2", content)
