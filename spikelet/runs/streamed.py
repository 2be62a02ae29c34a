"""Runs of samples as they come: only some of them are held at once, and what they did."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.compiler.compile import Source, compiled_from
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.chip.state import ChipState
from spikelet.description.errors import SpikeletError
from spikelet.description.run.recording import learned_fields, recorded_states
from spikelet.runs.run import run
from spikelet.runs.run_result import Run

__all__ = ["BATCH_BYTES", "run_streamed"]

BATCH_BYTES = 1 << 27
"""Of inputs and records that are held at once, unless a sample alone has more."""


def run_streamed(
    source: Source,
    samples: Iterable[npt.ArrayLike],
    engine: str = "golden",
    *,
    at_once: int | None = None,
    start: ChipState | None = None,
    record: Iterable[str] = (),
    **options: Any,
) -> Iterator[Run]:
    """Yield the runs of batches of samples, which together are one run of all, bit for bit.

    No sample is taken before it is needed, and none kept once its batch has run: memory does not
    grow with the number of samples, as long as the caller does not keep the runs. What is learned
    goes on from batch to batch.

    Parameters
    ----------
    source : path or network
        As for :func:`run`.
    samples : iterable of array of 0 and 1, shape (ticks, n_inputs)
        Such as a generator that decodes them. A batch ends where their ticks change.
    engine : str
    at_once : int or None
        Samples in a batch; None: as many as inputs and records of :data:`BATCH_BYTES` hold.
    start, record
        As for :func:`run`; but nothing is recorded besides outputs and counters unless asked for.
    options
        The others of :func:`run`, but for ``reward``, ``clear`` and ``drain``.

    Raises
    ------
    SpikeletError
        As :func:`run`; or if ``at_once`` is no number of samples, a sample has another shape, or an
        option is given that one sample after another does not have.
    """
    for name in ("reward", "clear", "drain"):
        if name in options:
            raise SpikeletError(
                f"run_streamed takes no {name}",
                remedy="run batches with run(), each with the final state of the last as start",
            )
    if at_once is not None and (isinstance(at_once, bool) or at_once < 1):
        raise SpikeletError(f"at_once must be 1 sample or more, not {at_once!r}")
    options |= {"engine": engine, "record": tuple(record)}
    return _runs(compiled_from(source), samples, at_once, start, options)


def _runs(
    compiled: CompiledNetwork,
    samples: Iterable[npt.ArrayLike],
    at_once: int | None,
    start: ChipState | None,
    options: dict[str, Any],
) -> Iterator[Run]:
    for batch in _batches(compiled, samples, at_once, options["record"]):
        ran = run(compiled, batch, start=start, **options)
        del batch  # before the next is made
        if compiled.learns:
            start = ran.final
        yield ran
        del ran


def _batches(
    compiled: CompiledNetwork,
    samples: Iterable[npt.ArrayLike],
    at_once: int | None,
    record: tuple[str, ...],
) -> Iterator[npt.NDArray[Any]]:
    """Yield arrays of shape (samples, ticks, n_inputs)."""
    held: list[npt.NDArray[Any]] = []
    room = 0
    for number, sample in enumerate(samples):
        values = np.asarray(sample)
        if values.ndim != 2:
            raise SpikeletError(
                f"sample {number}: an array of (ticks, n_inputs) is wanted, not one of shape "
                f"{values.shape}"
            )
        if held and (len(held) == room or values.shape != held[0].shape):
            yield _stacked(held)
        if not held:
            room = at_once or max(1, BATCH_BYTES // _sample_bytes(compiled, values, record))
        held.append(values)
        del values, sample
    if held:
        yield _stacked(held)


def _stacked(held: list[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """Return what is held as one array, and hold it no longer."""
    batch = np.stack(held)
    held.clear()
    return batch


def _sample_bytes(
    compiled: CompiledNetwork, sample: npt.NDArray[Any], record: tuple[str, ...]
) -> int:
    """Return the memory of a sample, stacked, and of what is recorded of it."""
    chip = compiled.chip
    if compiled.network.readouts:
        record = (*record, "states")
    tick = 2 * chip.n_outputs + 16 * len(chip.cores)  # with counts, cycles and their differences
    for core in chip.cores:
        tick += core.n_neurons * ("spikes" in record) + core.n_axons * ("cycles" in record)
        for name, fields in (("states", recorded_states), ("learning", learned_fields)):
            if name in record:
                tick += sum(
                    int(np.prod(shape)) * np.dtype(kind).itemsize
                    for shape, kind in fields(core).values()
                )
    ticks = len(sample) + compiled.output_latency
    return max(1, 2 * sample.nbytes + ticks * tick)
