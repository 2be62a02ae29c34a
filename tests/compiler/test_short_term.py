"""Networks whose axons have short-term plasticity: compiled, run, split, saved, refused."""

from dataclasses import replace

import numpy as np
import pytest

from spikelet import (
    LearningRule,
    PlacementLimits,
    PlasticNetwork,
    ShortTermPlasticity,
    SpikeletError,
    TraceParams,
)
from spikelet.compiler.compile import compile_network
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.compiler.like import compile_like
from spikelet.network.toml_file import load_toml
from spikelet.runs.run import run

DEPRESSING = ShortTermPlasticity.of(0.5, 40.0)
RULE = LearningRule("2^-3*x1*y0 - 2^-2*x0", x1=TraceParams(40, decay_shift=3, bits=8), w_max=120)
LIMITS = PlacementLimits(lanes=2)


def network(short_term: ShortTermPlasticity | None = DEPRESSING) -> PlasticNetwork:
    """Return a network with a plastic and a fixed projection, the first of which is depressed."""
    found = PlasticNetwork("depressed", seed=3)
    found.inputs("lines", 6)
    found.inputs("others", 2)
    found.population("cells", 4, threshold=200, decay=3500)
    found.project("lines", "cells", weights=(60, 120), rule=RULE, short_term=short_term)
    found.project("others", "cells", weights=20)
    found.output("cells")
    return found


SPIKES = np.random.default_rng(4).random((2, 40, 8)) < 0.4


def test_beside_a_rule_in_one_core_and_in_two(tmp_path):
    plain, one = (compile_network(network(s), limits=LIMITS) for s in (None, DEPRESSING))
    two = compile_network(network(), limits=PlacementLimits(lanes=2, max_neurons=2))
    assert (
        plain.chip.cores[0].short_term is None and "short_term" not in plain.chip.cores[0].to_dict()
    )
    assert one.chip.cores[0].short_term == DEPRESSING and len(two.chip.cores) == 2
    assert one.image.cores[0].short_term.tolist() == [True] * 6 + [False] * 2
    runs = [run(net, SPIKES, record=("spikes", "learning")) for net in (plain, one, two)]
    counts = [int(found.spikes("cells").sum()) for found in runs]
    assert counts[0] > counts[1] == counts[2] > 0
    assert (runs[1].spikes("cells") == runs[2].spikes("cells")).all()
    ends = ("lines", "cells")
    assert (runs[1].weights(*ends) == runs[2].weights(*ends)).all()
    assert (runs[1].weights(*ends) != one.weights(*ends)).any()
    one.save(tmp_path)
    loaded = CompiledNetwork.load(tmp_path)
    assert loaded.chip == one.chip
    assert loaded.network.short_term("cells") == DEPRESSING
    assert (run(loaded, SPIKES).counts("cells") == runs[1].counts("cells")).all()


def test_in_pieces():
    """With a snapshot between, in which ``u`` and ``depleted`` are kept."""
    compiled = compile_network(network(), limits=LIMITS)
    whole = run(compiled, SPIKES[:1])
    first = run(compiled, SPIKES[:1, :20], clear=False)
    assert first.state.cores[0].traces["depleted"][:6].any()
    rest = run(compiled, SPIKES[:1, 20:], clear=False, start=first.state)
    pieces = np.concatenate([first.spikes("cells"), rest.spikes("cells")], axis=1)
    assert (pieces == whole.spikes("cells")).all()


def test_no_rule_and_many_samples():
    """Without learning all samples run at once, each from its own cleared state."""
    fixed = network()
    fixed.projections = [replace(p, rule=None) for p in fixed.projections]
    compiled = compile_network(fixed, limits=LIMITS)
    together = run(compiled, SPIKES).counts("cells")
    alone = np.concatenate([run(compiled, sample[None]).counts("cells") for sample in SPIKES])
    assert (together == alone).all() and together.any()
    # auto does not store its few weights in rows, which cannot be scaled
    assert compiled.chip.cores[0].synapses == "dense"


def test_like():
    compiled = compile_network(network(), limits=LIMITS)
    same, _ = compile_like(network(), compiled)
    assert (same.image.cores[0].short_term == compiled.image.cores[0].short_term).all()
    with pytest.raises(SpikeletError, match="short-term plasticity of layer 'cells': there Short"):
        compile_like(network(None), compiled)


def test_toml(tmp_path):
    file = tmp_path / "depressed.toml"
    text = """
        name = "depressed"
        outputs = ["cells"]
        [inputs.lines]
        size = 3
        [populations.cells]
        size = 2
        threshold = 9
        [[projections]]
        source = "lines"
        target = "cells"
        weights = 4
        short_term = { utilisation = 0.5, tau_recovery = 40.0 }
    """
    file.write_text(text)
    assert load_toml(file).network.short_term("cells") == DEPRESSING
    file.write_text(text.replace("0.5", "1.5"))
    with pytest.raises(SpikeletError, match="short_term.*utilisation must be .* not 1.5"):
        load_toml(file)


def test_errors():
    found = network()
    with pytest.raises(SpikeletError, match="short_term must be a ShortTermPlasticity, not 0.5"):
        found.project("cells", "cells", weights=1, short_term=0.5)
    with pytest.raises(SpikeletError, match="a core has one short-term plasticity; this is Short"):
        found.project("cells", "cells", weights=1, short_term=ShortTermPlasticity(1, 1))
