"""The float network checks itself."""

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from spikelet.description.errors import SpikeletError
from spikelet.network.network import INPUT, Network, Projection
from tests.helpers.networks import branched, chain, population


def refused(message: str) -> Any:
    return pytest.raises(SpikeletError, match="^" + re.escape(message))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"threshold": [1, 0]}, "threshold must be above 0, found 0 (neuron 1 of 2)"),
        ({"threshold": [1, np.nan]}, "threshold must be finite, found nan at (1,)"),
        ({"threshold": [1, 1, 1]}, "threshold must have shape (1,) or (2,), not (3,)"),
        ({"decay": [1.5]}, "decay must be in 0..1, found 1.5 (neuron 0 of 2)"),
        ({"decay": [0.5, -0.1]}, "decay must be in 0..1, found -0.1 (neuron 1 of 2)"),
        ({"bias": [0, 0, 0]}, "bias must have shape (1,) or (2,), not (3,)"),
        ({"threshold": None}, "threshold is missing, which nir-euler has no default for"),
        ({"tau": [1]}, "neuron model 'nir-euler' has no parameter 'tau'"),
        ({"inhibition": [1, -2]}, "inhibition must be in 0.., found -2 (neuron 1 of 2)"),
        ({"adaptation_bits": [3, 4]}, "adaptation_bits must have shape (1,), not (2,)"),
        ({"adaptation_bits": [25]}, "adaptation_bits must be in 0..24, found 25 (neuron 0 of 2)"),
        ({"bias": [np.inf, 0]}, "bias must be finite, found inf at (0,)"),
        ({"reset_potential": [[0]]}, "reset_potential must have shape (1,) or (2,), not (1, 1)"),
    ],
)
def test_population_refuses(fields: dict[str, Any], message: str) -> None:
    with refused(f"population 'p': {message}"):
        population("p", 2, **fields)


def test_population_refuses_no_neurons() -> None:
    with refused("population 'p': size must be 1 or more, not 0"):
        population("p", 0)


def test_projection_refuses() -> None:
    with refused("projection 'input' -> 'p': weights must be finite, found nan at (0, 1)"):
        Projection(INPUT, "p", np.array([[1, np.nan]]))
    with refused("projection 'input' -> 'p': weights must be a matrix, not of shape (3,)"):
        Projection(INPUT, "p", np.ones(3))


def network(**fields: Any) -> Network:
    values: dict[str, Any] = {
        "name": "n",
        "n_inputs": 3,
        "dt": 1e-3,
        "populations": (population("a", 2), population("b", 1)),
        "projections": (
            Projection(INPUT, "a", np.ones((3, 2))),
            Projection("a", "b", np.ones((2, 1))),
        ),
        "outputs": ("b",),
        **fields,
    }
    return Network(**values)


A, B = population("a", 2), population("b", 1)
IN_A, A_B = Projection(INPUT, "a", np.ones((3, 2))), Projection("a", "b", np.ones((2, 1)))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"n_inputs": 0}, "n_inputs must be 1 or more, not 0"),
        ({"dt": 0.0}, "dt must be above 0 seconds, not 0"),
        ({"populations": ()}, "there is no neuron population"),
        ({"populations": (A, A)}, "population name 'a' is taken"),
        ({"populations": (population(INPUT, 2),)}, "a population is called 'input'"),
        ({"projections": (IN_A, A_B, A_B)}, "projection 'a' -> 'b' is given twice"),
        (
            {"projections": (IN_A, Projection("x", "b", np.ones((1, 1))))},
            "projection 'x' -> 'b': there is no",
        ),
        (
            {"projections": (Projection("a", INPUT, np.ones((1, 1))),)},
            "projection 'a' -> 'input': there is no",
        ),
        (
            {"n_inputs": 4},
            "projection 'input' -> 'a': weights must have shape (4, 2), not (3, 2)",
        ),
        ({"projections": (IN_A,)}, "population 'b' gets no input"),
        ({"populations": (B, A)}, "population 'b' must come after its source 'a'"),
        ({"outputs": ()}, "outputs must be one or more distinct populations, not ()"),
        ({"outputs": ("b", "b")}, "outputs must be one or more distinct populations"),
        ({"outputs": ("x",)}, "output 'x' is not a population"),
        ({"outputs": (INPUT,)}, "output 'input' is not a population"),
        ({"outputs": ("a",)}, "population 'b' does not lead to an output"),
    ],
)
def test_network_refuses(fields: dict[str, Any], message: str) -> None:
    with refused(f"network 'n': {message}"):
        network(**fields)


def test_network_refuses_cycles_of_several_populations() -> None:
    for delay in (None, 1):
        back = Projection("b", "a", np.ones((1, 2)), delay=delay)
        with refused(
            "network 'n': layers run one tick apart, so a loop over 2 takes 2 ticks or more, but "
            f"spikes come round it in {delay or 0}, too early: 'a' -> 'b' -> 'a'"
        ) as info:
            network(projections=(IN_A, A_B, back))
        assert f"a Delay of {2 - (delay or 0)} more tick" in info.value.remedy
    in_time = network(projections=(IN_A, A_B, replace(back, delay=2)))
    assert (in_time.depth("a"), in_time.depth("b")) == (0, 1)


def test_a_population_may_feed_itself() -> None:
    itself = Projection("b", "b", np.ones((1, 1)))
    found = network(projections=(IN_A, itself, A_B))
    assert (found.sources("b"), found.depth("b")) == (["a"], 1)
    assert found.into("b") == [itself, A_B]
    assert found.recurrent("b") is itself and found.recurrent("a") is None
    with refused("network 'n': population 'b' gets no input"):
        network(projections=(IN_A, itself))
    with refused("network 'n': population 'a' does not lead to an output"):
        network(
            projections=(
                IN_A,
                Projection("a", "a", np.ones((2, 2))),
                Projection(INPUT, "b", np.ones((3, 1))),
                itself,
            )
        )
    with refused("network 'n': projection 'b' -> 'b' is given twice"):
        network(projections=(IN_A, A_B, itself, itself))


def test_depth_is_the_longest_way() -> None:
    graph = branched()
    assert [graph.depth(p.name) for p in graph.populations] == [0, 0, 1, 2]
    assert graph.depth(INPUT) == -1


def test_check_spikes() -> None:
    graph = chain([3, 2])
    assert graph.check_spikes(np.zeros((2, 4, 3), bool)).shape == (2, 4, 3)
    with refused("network 'chain': input spikes must have shape (samples, ticks, 3), not (4, 3)"):
        graph.check_spikes(np.zeros((4, 3)))
    bad = np.zeros((2, 4, 3))
    bad[1, 2, 0] = 2
    with refused(
        "network 'chain': input spikes must be 0 or 1, found 2.0 at sample 1, tick 2, input 0"
    ):
        graph.check_spikes(bad)
