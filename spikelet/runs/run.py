"""Run a network on an engine."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.compiler.compile import Source, compiled_from
from spikelet.description.chip.state import ChipState
from spikelet.host.board_port import BoardPort
from spikelet.runs.early_stop import check_early_stop
from spikelet.runs.engines import engine_named
from spikelet.runs.learning_cores import learning_cores
from spikelet.runs.run_result import Run
from spikelet.runs.wanted import Wanted
from spikelet.samples.samples import Samples

__all__ = ["run", "with_extra"]


def run(
    source: Source,
    spikes: npt.ArrayLike | Samples,
    engine: str = "golden",
    *,
    learning: bool | Sequence[str] = True,
    reward: npt.ArrayLike | None = None,
    clear: bool = True,
    start: ChipState | None = None,
    drain: bool = True,
    record: Sequence[str] = ("spikes",),
    folder: Path | None = None,
    progress: Callable[[int], None] = lambda samples: None,
    early_stop: bool = False,
    port: BoardPort | None = None,
    say: Callable[[str], None] = lambda line: None,
    snapshot: bool = True,
    threads: int | None = None,
    liberty: Path | None = None,
) -> Run:
    """Run samples, one after another; what is learned goes on from each to the next.

    Parameters
    ----------
    source : path or network
        As for :func:`compile_network`; a compiled network is not compiled again.
    spikes : Samples, or array of 0 and 1, shape (samples, ticks, n_inputs)
    engine : str
        Of :func:`engines`.
    learning : bool or sequence of str
        False: weights, tags and what a model changes while it learns stay as they are. Names: so
        they do in all populations but these; so layers can be trained in turn.
    reward : array of int, shape (samples, ticks), or None
        The reward ``r`` of each tick; None: that of the samples, or 0.
    clear : bool
        Whether potentials, traces and arrivals are cleared before each sample.
    start : ChipState or None
        A snapshot of this chip to go on from; None: the network as compiled.
    drain : bool
        Whether each sample is followed by as many ticks without input as its last spikes need to
        come out. If not, they stay in the state, and come out when the run goes on from there; so a
        stream in pieces, the last of them drained, is one run, bit for bit.
    record : sequence of str
        Any of ``"spikes"``, ``"states"``, ``"learning"`` (weights, tags, traces and kept states
        after each tick: large), ``"checksums"`` (of the state after each sample) and ``"cycles"``:
        golden counts clock cycles from the axons of each tick; else it estimates them. States are
        always recorded of a network with outputs that are potentials.
    folder : Path or None
        The project folder, in which synthesis works and leaves its netlist, and where the emitted
        Verilog is; golden and RTL do not need it.
    progress : callable
        Told how many samples are done, now and then.
    early_stop : bool
        Whether the chip ends each sample with the tick in which its first output spike leaves it.
    port : BoardPort or None
        Where engine ``board`` finds it; None: see :meth:`BoardPort.found`.
    say : callable
        Told in lines what engine ``board`` does before the first sample.
    snapshot : bool
        Whether :attr:`Run.state` is read back: of a board, states go over the line, and in plastic
        cores weights and tags.
    threads : int or None
        How many golden and simulations of the RTL may take, which changes no result; None: one for
        each processor, unless :func:`~spikelet.description.processors.set_threads` said another
        number.
    liberty : Path or None
        Library of standard cells (liberty file) of engine ``netlist-cells``.

    Raises
    ------
    SpikeletError
        For an unknown engine, input, reward or snapshot that does not fit, spikes that would be
        lost, or a missing tool.
    """
    chosen, compiled = engine_named(engine), compiled_from(source)
    lengths = None
    if isinstance(spikes, Samples):
        reward = spikes.reward if reward is None else reward
        lengths, spikes = spikes.lengths, spikes.spikes
    dense = compiled.network.check_spikes(spikes)
    if start is not None:
        start.check(compiled.chip)
    latency = compiled.output_latency
    if latency and not drain and (clear or len(dense) > 1):
        how = "a cleared state" if clear else "another sample"
        raise compiled.network.error(
            f"without drain, the last spikes of a sample, {latency} ticks on their way to the "
            f"outputs, would be lost in {how}",
            "give one sample, and clear=False, to carry them on; or drain them",
        )
    extra = latency if drain else 0
    if compiled.network.readouts:
        record = tuple(dict.fromkeys((*record, "states")))
    if lengths is not None and (not clear or (learning and compiled.learns)):
        raise compiled.network.error(
            "samples have lengths: the next sample, or what is learned, would know of the padding",
            "run samples of each length by themselves, or from a cleared state and with learning "
            "off; or leave lengths out, so that padding is time",
        )
    if early_stop:
        check_early_stop(compiled, learning)
        compiled.chip.check_early_stop(clear)
    recording, state = chosen.run(
        Wanted(
            compiled,
            dense,
            extra,
            start,
            learning_cores(compiled, learning),
            None if reward is None else with_extra(np.asarray(reward), extra),
            clear,
            tuple(record),
            folder,
            progress,
            early_stop,
            port or BoardPort(),
            say,
            snapshot,
            threads,
            liberty,
        )
    )
    state = state if snapshot else None
    begun = 0 if clear or start is None else start.ticks
    return Run(compiled, recording, state, drain, begun, lengths)


def with_extra(reward: npt.NDArray[Any], extra: int) -> npt.NDArray[Any]:
    """Return rewards (samples, ticks) with 0 in the ticks that follow each sample."""
    return np.pad(reward, ((0, 0), (0, extra))) if reward.ndim == 2 else reward
