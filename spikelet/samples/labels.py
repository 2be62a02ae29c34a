"""Reading out what was learned without labels: which neuron stands for which.

As in Diehl & Cook 2015, "Unsupervised learning of digit recognition using spike-timing-dependent
plasticity", "Training and classification". Assign on samples that were learned from, with learning
off, and classify others.
"""

import numpy as np
import numpy.typing as npt

from spikelet.description.errors import SpikeletError

__all__ = ["assign_labels", "classify_by_labels"]


def assign_labels(counts: npt.ArrayLike, labels: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Return the label to which each neuron responds most, -1 if it never spiked.

    Parameters
    ----------
    counts : array of int, shape (samples, neurons)
        Spikes of each neuron in each sample, such as ``learned.counts(name)``.
    labels : array of int, shape (samples,)
        0 or more.

    Returns
    -------
    array of int64, shape (neurons,)
        The label with the highest mean count; the lowest of equals.

    Raises
    ------
    SpikeletError
        If the shapes do not fit, there is no sample, or a label is negative.
    """
    spikes, given = np.asarray(counts, np.int64), np.asarray(labels)
    if spikes.ndim != 2 or given.shape != spikes.shape[:1] or given.dtype.kind not in "iu":
        raise SpikeletError(
            "labels must be one int for each sample of counts (samples, neurons), not "
            f"{given.dtype} of shape {given.shape} for {spikes.shape}"
        )
    if not given.size:
        raise SpikeletError("labels can be assigned from 1 sample or more, not 0")
    if given.min() < 0:
        raise SpikeletError(f"labels must be 0 or more, found {given.min()}")
    found = np.unique(given)
    means = np.stack([spikes[given == label].mean(axis=0) for label in found])
    return np.where(spikes.any(axis=0), found[means.argmax(axis=0)], -1)


def classify_by_labels(
    counts: npt.ArrayLike, assigned: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Return the label of the neurons that responded most, on average, to each sample.

    Parameters
    ----------
    counts : array of int, shape (samples, neurons)
    assigned : array of int64, shape (neurons,)
        As :func:`assign_labels` returns it.

    Returns
    -------
    array of int64, shape (samples,)
        The lowest of equals; -1 where no neuron with a label spiked.

    Raises
    ------
    SpikeletError
        If the shapes do not fit, or no neuron has a label.
    """
    spikes = np.asarray(counts, np.int64)
    if spikes.ndim != 2 or assigned.shape != spikes.shape[1:]:
        raise SpikeletError(
            f"counts must have shape (samples, {len(assigned)}), not {spikes.shape}"
        )
    found = np.unique(assigned[assigned >= 0])
    if not len(found):
        raise SpikeletError("no neuron has a label: none spiked while labels were assigned")
    means = np.stack([spikes[:, assigned == label].mean(axis=1) for label in found], axis=1)
    return np.where(means.any(axis=1), found[means.argmax(axis=1)], -1)
