"""Two rules in a core: each axon learns by its own."""

from dataclasses import replace

import numpy as np
import pytest

from spikelet import (
    CompiledNetwork,
    LearningRule,
    PlacementLimits,
    PlasticNetwork,
    SpikeletError,
    TraceParams,
)
from spikelet.compiler.compile import compile_network
from spikelet.description.learning.two_rules import both_rules
from spikelet.golden.chip import GoldenChip
from spikelet.runs.run import run

TRACE = TraceParams(20, decay_shift=2, bits=6)
PAIRS = LearningRule("2^-3*x1*y0 - 2^-4*x0*y1 - u3", x1=TRACE, y1=TRACE, w_max=9, name="pairs")
PRE = LearningRule("dw = -x0*(w > 2) + 3*2^(-2)*y0*(x1 == 0)", x1=TRACE, w_max=9, name="pre")


def network(first: LearningRule, second: LearningRule) -> PlasticNetwork:
    """Return one whose neurons fire when, and only when, they are told to."""
    found = PlasticNetwork("two", seed=1)
    for name in ("a", "c"):
        found.inputs(name, 5)
    found.inputs("teacher", 4)
    found.population("cells", 4, threshold=110, decay=0)
    found.project("a", "cells", weights=(0, 9), rule=first)
    found.project("teacher", "cells", weights=120, connectivity="one_to_one")
    found.project("c", "cells", weights=(0, 9), rule=second)
    found.output("cells")
    return found


def compiled(*rules: LearningRule, most: int | None = None) -> CompiledNetwork:
    """Return it compiled."""
    return compile_network(network(*rules), limits=PlacementLimits(lanes=2, max_neurons=most))


SPIKES = np.random.default_rng(5).random((2, 30, 14)) < 0.3


@pytest.mark.parametrize("most", [None, 2])
def test_each_axon_learns_by_its_own(most):
    both = compiled(PAIRS, PRE, most=most)
    for core, contents in zip(both.chip.cores, both.image.cores, strict=True):
        assert core.learning.name == "pairs and pre" and "b" in core.learning.variables
        assert contents.rule_bits.tolist() == [False] * 9 + [True] * 5
    found, pairs, pre = (
        run(net, SPIKES) for net in (both, compiled(PAIRS, PAIRS), compiled(PRE, PRE))
    )
    assert found.spikes("cells").any()
    for other, source in ((pairs, "a"), (pre, "c")):
        assert (found.spikes("cells") == other.spikes("cells")).all()
        assert (found.weights(source, "cells") == other.weights(source, "cells")).all()
        assert (found.weights(source, "cells") != both.weights(source, "cells")).any()
    assert (pairs.weights("c", "cells") != pre.weights("c", "cells")).any()


def test_native_is_numpy(tmp_path):
    net = compiled(PAIRS, PRE)
    net.save(tmp_path)
    loaded = CompiledNetwork.load(tmp_path)
    assert loaded.chip == net.chip and loaded.network.rules("cells") == net.network.rules("cells")
    found = []
    for image, backend in ((net.image, "numpy"), (loaded.image, "native")):
        golden = GoldenChip(net.chip, image, backend=backend)
        found.append((golden.run(net.events(SPIKES)), golden.snapshot().checksums().tolist()))
    assert found[0][0].first_difference(found[1][0]) is None and found[0][1] == found[1][1]


def test_the_text_of_both():
    rule = both_rules([PAIRS, PRE])
    assert rule.dw == (
        "2^-3*x1*y0*(b == 0) - 2^-4*x0*y1*(b == 0) - u3*(b == 0)"
        " - x0*(w > 2)*(b == 1) + 3*2^(-2)*y0*(x1 == 0)*(b == 1)"
    )
    assert (rule.x1, rule.y1, rule.w_max, rule.dt) == (TRACE, TRACE, 9, "")
    assert both_rules([PAIRS]) is PAIRS
    tagged = LearningRule("r*t", "-x0*y1 + 2^-1*y0", y1=TRACE, tag_bits=4)
    assert both_rules([tagged, replace(tagged, dt="2^-2*x0*y1")]).dt == (
        "- x0*y1*(b == 0) + 2^-1*y0*(b == 0) + 2^-2*x0*y1*(b == 1)"
    )


def test_errors():
    for other, message in (
        (replace(PRE, w_max=8), "must have the same w_max, and pairs .* have 9 and 8"),
        (replace(PRE, rounding="stochastic"), "must have the same rounding"),
        (replace(PRE, x1=replace(TRACE, bits=7)), "must have the same x1"),
        (replace(PRE, dt="x0", tag_bits=2), "must have the same tag_bits"),
        (replace(PRE, dw="x0*x1*b"), "rule pre reads b, the axon's bit"),
    ):
        with pytest.raises(SpikeletError, match=f"'c' -> 'cells': .*{message}"):
            network(PAIRS, other)
    third = network(PAIRS, PRE)
    with pytest.raises(SpikeletError, match="two rules at most, and these are 3: pairs .* and pre"):
        third.project("cells", "cells", weights=1, rule=replace(PRE, dw="-x0*(x1 > 1)"))
    with pytest.raises(SpikeletError, match="'a' -> 'cells' is given twice"):  # two on one axon
        third.project("a", "cells", weights=1, rule=PRE)
    image = compiled(PAIRS, PRE).image.cores[0]
    core = compiled(PAIRS, PRE).chip.cores[0]
    with pytest.raises(SpikeletError, match=r"rule_bits must have shape \(14,\), not \(3,\)"):
        replace(image, rule_bits=np.zeros(3, np.bool_)).check(core, "core 0")
    with pytest.raises(SpikeletError, match="rule_bits must be bool"):
        replace(image, rule_bits=np.zeros(14, np.int8)).check(core, "core 0")
