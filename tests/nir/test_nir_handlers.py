"""The table of node kinds, and signals: sparse connections are what their matrices are."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikelet.description.errors import SpikeletError
from spikelet.nir import nodes
from spikelet.nir.handlers import HANDLERS, NEURON_HANDLERS, neuron_node
from spikelet.nir.nodes.if_ import Integrator
from spikelet.nir.signal import Dense, Signal, Sparse


def test_every_file_of_the_folder_is_in_the_table() -> None:
    files = {path.stem for path in Path(str(nodes.__file__)).parent.glob("*.py")} - {"__init__"}
    assert {type(handler).__module__.rpartition(".")[2] for handler in HANDLERS} == files
    assert len({handler.kind for handler in HANDLERS}) == len(HANDLERS) == len(files)
    assert [handler for handler in HANDLERS if handler.spikes] == list(NEURON_HANDLERS)
    for handler in HANDLERS:
        assert handler.__doc__ and len({field.name for field in handler.fields}) == len(
            handler.fields
        )


def test_the_export_takes_the_kind_that_has_the_parameters() -> None:
    given_parameters = {"threshold": np.ones(2), "reset_potential": np.zeros(2)}
    kind, fields = neuron_node(given_parameters, 1e-3, 2)
    assert kind == "IF" and set(fields) == {"r", "v_threshold", "v_reset"}
    leaky = {**given_parameters, "decay": np.full(2, 0.75)}
    assert Integrator().written(leaky, 1e-3, 2) is None
    kind, fields = neuron_node(leaky, 1e-3, 2)
    assert kind == "LIF" and fields["tau"].tolist() == [4e-3, 4e-3] == (1e-3 * fields["r"]).tolist()


@st.composite
def pairs(draw: st.DrawFn, n_source: int, size: int) -> Sparse:
    """Return a sparse connection of random pairs, each at most once."""
    places = draw(st.lists(st.integers(0, n_source * size - 1), max_size=12, unique=True))
    sources, targets = np.divmod(np.array(places, np.int64), size)
    gains = draw(st.lists(st.integers(-4, 4), min_size=len(places), max_size=len(places)))
    return Sparse(n_source, size, sources, targets, np.array(gains, float))


SIZES = st.tuples(*[st.integers(1, 5)] * 3)


@given(data=st.data(), sizes=SIZES)
def test_sparse_connections_are_their_matrices(data: st.DataObject, sizes: Any) -> None:
    n_source, middle, size = sizes
    first, second = data.draw(pairs(n_source, middle)), data.draw(pairs(middle, size))
    a, b = first.matrix(), second.matrix()
    gain = np.arange(1.0, middle + 1)
    for weight in (second, b.T):
        np.testing.assert_array_equal(first.through(weight).matrix(), a @ b)
        np.testing.assert_array_equal(Dense(a).through(weight).matrix(), a @ b)
    assert isinstance(first.through(second), Sparse)
    np.testing.assert_array_equal(first.scaled(gain).matrix(), a * gain)
    np.testing.assert_array_equal(first.scaled(np.full(1, 3.0)).matrix(), a * 3)
    other = data.draw(pairs(n_source, middle))
    np.testing.assert_array_equal(first.plus([other, first]).matrix(), 2 * a + other.matrix())
    np.testing.assert_array_equal(first.excitation(), Dense(a).excitation())
    assert first.excitation().shape == (middle,)


@given(data=st.data(), sizes=SIZES)
def test_signals_are_functions_of_spikes(data: st.DataObject, sizes: Any) -> None:
    n_source, middle, size = sizes
    connection, weight = data.draw(pairs(n_source, middle)), data.draw(pairs(middle, size))
    spikes = np.array(data.draw(st.lists(st.integers(0, 1), min_size=n_source, max_size=n_source)))
    bias = np.arange(float(middle))

    def value(signal: Signal) -> Any:
        assert signal.size == len(signal.bias) == np.prod(signal.shape)
        return sum((spikes @ part.matrix() for part in signal.parts.values()), signal.bias)

    start = Signal.spikes("x", (n_source,))
    assert (value(start) == spikes).all() and start.spikes_of == "x"
    assert start.reshaped((1, n_source)).spikes_of == "x"
    before = start.through(connection).plus(bias)
    x = spikes @ connection.matrix() + bias
    np.testing.assert_array_equal(value(before), x)
    for other in (weight, weight.matrix().T):
        np.testing.assert_array_equal(value(before.through(other)), x @ weight.matrix())
    np.testing.assert_array_equal(value(before.scaled(bias)), x * bias)
    summed = Signal.sum([before, before, before.through(np.eye(middle))])
    np.testing.assert_array_equal(value(summed), 3 * x)
    assert {signal.spikes_of for signal in (before, summed, start.scaled(np.ones(1)))} == {None}


def test_a_selection_may_leave_out_and_double() -> None:
    found = Sparse.selection(4, [3, 3, 0]).matrix()
    np.testing.assert_array_equal(found, [[0, 0, 1], [0, 0, 0], [0, 0, 0], [1, 1, 0]])


SHAPES = {"a": (6,), "b": (2, 3), "c": (3, 2)}


def test_signals_of_other_shapes_add_as_vectors() -> None:
    flat, image, turned = (Signal.spikes(s, shape) for s, shape in SHAPES.items())
    assert Signal.sum([image, image]).shape == (2, 3)
    for other in (flat, turned):
        assert Signal.sum([image, other]).shape == Signal.sum([other, image]).shape == (6,)
    assert Signal.sum([]).size == 0


def test_connections_too_wide_for_a_matrix() -> None:
    wide = Sparse.selection(1 << 16, np.arange((1 << 14) + 1))
    with pytest.raises(
        SpikeletError, match="65,536 values lead to 16,385 over a sparse connection"
    ):
        wide.matrix()
