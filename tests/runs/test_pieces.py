"""A stream in pieces is one run: nothing is lost between them, in any network, on any engine."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikelet import LearningRule, PlacementLimits, SpikeletError, TraceParams
from spikelet.compiler.compile import compile_network
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.runs.run import run
from spikelet.runs.run_result import Run
from tests.helpers.networks import branched, chain, spikes

RECORD = ("spikes", "states")
RULE = LearningRule("x1*y0 - x0", x1=TraceParams(4, decay_shift=2, bits=4), w_min=-8, w_max=7)


def in_pieces(
    compiled: CompiledNetwork, stream: Any, cuts: list[int], engine: str = "golden"
) -> list[Run]:
    """Run a sample cut at some ticks; only the last piece is drained."""
    ends = [0, *sorted(cuts), stream.shape[1]]
    found: list[Run] = []
    for number, (first, last) in enumerate(pairwise(ends)):
        found.append(
            run(
                compiled,
                stream[:, first:last],
                engine,
                clear=False,
                start=found[-1].final if found else None,
                drain=number == len(cuts),
                record=RECORD,
            )
        )
    return found


def assert_one(compiled: CompiledNetwork, pieces: list[Run], whole: Run) -> None:
    """Assert that pieces, one behind another, are the whole."""
    for name in whole.compiled.network.sizes:
        if any(layer.name == name for layer in compiled.layers):
            for read in (Run.spikes, lambda found, name: found.states(name)["v"]):
                joined = np.concatenate([read(piece, name) for piece in pieces], axis=1)
                np.testing.assert_array_equal(joined, read(whole, name))
    outputs = np.concatenate([piece.outputs for piece in pieces], axis=1)
    np.testing.assert_array_equal(outputs, whole.outputs)
    assert outputs.any()
    assert (pieces[-1].final.checksums() == whole.final.checksums()).all()
    assert pieces[-1].final.ticks == whole.final.ticks


@settings(max_examples=25, deadline=None)
@given(
    cuts=st.lists(st.integers(0, 14), max_size=5),
    seed=st.integers(0, 99),
    recurrent=st.booleans(),
    plastic=st.booleans(),
)
def test_golden(cuts: list[int], seed: int, recurrent: bool, plastic: bool) -> None:
    network = branched(seed=seed, bias=0.3, recurrent=["a", "out"] if recurrent else [])
    limits = PlacementLimits(max_neurons=None if plastic else 8, lanes=4)
    rules = {"a": RULE, "b": RULE} if plastic else None
    compiled = compile_network(network, limits=limits, plastic=rules)
    stream = spikes(1, 14, 7, rate=0.4, seed=seed)
    whole = run(compiled, stream, clear=False, record=RECORD)
    assert_one(compiled, in_pieces(compiled, stream, cuts), whole)
    again = run(compiled, stream, record=RECORD)
    assert again.recording.first_difference(whole.recording) is None, "the chip was used before"


def test_the_generated_verilog() -> None:
    """A layer that learns at depth 1, between two that do not."""
    compiled = compile_network(
        chain([5, 4, 4, 3], decay=np.array([0.9]), seed=1),
        limits=PlacementLimits(lanes=2),
        plastic={"p1": replace(RULE, dw="x1*y0")},
    )
    stream = spikes(1, 12, 5, rate=0.6, seed=3)
    whole = run(compiled, stream, clear=False, record=RECORD)
    (before, after) = (compiled.weights("p0", "p1"), whole.weights("p0", "p1"))
    assert (before != after).any()
    pieces = in_pieces(compiled, stream, [2, 3, 9], "rtl")
    assert_one(compiled, pieces, whole)


def test_what_would_be_lost_is_refused() -> None:
    compiled = compile_network(chain([3, 4, 3]))
    stream = spikes(2, 6, 3)
    with pytest.raises(SpikeletError, match="1 ticks on their way .* lost in a cleared state"):
        run(compiled, stream[:1], drain=False)
    with pytest.raises(SpikeletError, match="would be lost in another sample"):
        run(compiled, stream, drain=False, clear=False)
    shallow = compile_network(chain([3, 4]))
    assert run(shallow, stream, drain=False).outputs.shape == (2, 6, 4)


def test_a_run_from_other_contents_leaves_nothing_behind() -> None:
    """A chip that waits for another run holds what the network was compiled to."""
    compiled = compile_network(chain([6, 5, 3]))
    fired = spikes(3, 8, 6, rate=0.6)
    before = run(compiled, fired)
    state = compiled.initial_state()
    empty = tuple(replace(c, weights=np.zeros_like(c.weights)) for c in state.image.cores)
    silent = run(compiled, fired, start=replace(state, image=replace(state.image, cores=empty)))
    assert before.spikes("p0").any() and not silent.spikes("p0").any()
    assert run(compiled, fired).recording.first_difference(before.recording) is None
