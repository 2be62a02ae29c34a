"""Teachers in Python and in TOML: where their axons are, what is refused, what is saved."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import spikelet
from spikelet.description.errors import SpikeletError
from spikelet.description.learning.named_rules import RULES
from spikelet.network.toml_file import load_toml

RULE = RULES["resume"]()

TOML = """
outputs = ["cells"]
[inputs.lines]
size = 6
[inputs.wanted]
size = 2
[populations.cells]
size = 2
threshold = 60
error = { bits = 4, spike = 1 }
[rules.learns]
named = "error_trace"
error_bits = 4
[[projections]]
source = "wanted"
target = "cells"
weights = 1
connectivity = "one_to_one"
teacher = true
[[projections]]
source = "lines"
target = "cells"
weights = [0, 40]
rule = "learns"
"""


def taught(*, error: bool = True) -> object:
    """Six lines to four cells, without teacher and rule."""
    network = spikelet.PlasticNetwork("taught")
    network.inputs("lines", 6)
    network.inputs("wanted", 4)
    params = spikelet.ErrorParams(bits=2) if error else None
    network.population("cells", 4, threshold=60, decay=3600, error=params)
    network.output("cells")
    return network


def test_teachers_have_the_last_axons_whenever_they_are_projected() -> None:
    network = taught()
    network.project("wanted", "cells", weights=1, connectivity="one_to_one", teacher=True)
    network.project("lines", "cells", weights=(0, 40), rule=RULE)
    compiled = spikelet.compile(network)
    core = compiled.core("cells")
    assert (core.n_axons, core.teacher_axons) == (10, 4)
    assert compiled.axons("wanted", "cells") == slice(6, 10)
    assert compiled.image.cores[0].plastic.tolist() == [True] * 6 + [False] * 4
    assert np.array_equal(compiled.image.cores[0].weights[6:, :4], np.eye(4))


def test_wanted_spikes_are_learned_and_the_network_is_saved(tmp_path: Path) -> None:
    network = taught()
    network.project("lines", "cells", weights=(0, 20), rule=RULES["resume"](a_trace=0.1))
    network.project("wanted", "cells", weights=1, connectivity="one_to_one", teacher=True)
    compiled = spikelet.compile(network)
    compiled.save(tmp_path)
    again = spikelet.CompiledNetwork.load(tmp_path)
    assert again.network.projection("wanted", "cells").teacher
    assert again.chip == compiled.chip
    spikes = np.zeros((1, 40, 10), np.bool_)
    spikes[:, 2::8, :3], spikes[:, 6::8, 3:6] = True, True  # every cell wants the first only
    spikes[:, 3::8, 6:] = True
    learned = spikelet.run(again, np.repeat(spikes, 30, axis=0))
    weights = learned.weights("lines", "cells")
    assert (weights[:3] > weights[3:] + 20).all()
    alone = np.where(np.arange(10) < 6, spikes, False)
    shown = spikelet.run(again, alone, start=learned.state, learning=False).spikes("cells")[0]
    assert shown[2:5].any(axis=0).all() and not shown[6:8].any()


def test_toml(tmp_path: Path) -> None:
    path = tmp_path / "taught.toml"
    path.write_text(TOML)
    network = load_toml(path).network
    assert network.population("cells").neuron.name == "snntorch-zero-immediate.error"
    assert [p.teacher for p in network.into("cells")] == [False, True]
    path.write_text(TOML.replace("bits = 4, spike", "bits = 44, spike"))
    with pytest.raises(
        SpikeletError, match=r"taught\.toml: \[populations\.cells\] error: .*2\.\.16"
    ):
        load_toml(path)
    path.write_text(TOML.replace("teacher = true\n", ""))
    with pytest.raises(SpikeletError, match=r"'cells': rule error_trace reads e, .* no teacher"):
        load_toml(path)


def test_what_is_refused() -> None:
    network = taught()
    with pytest.raises(SpikeletError, match=r"a teacher is not plastic, but has the rule resume"):
        network.project("wanted", "cells", weights=1, rule=RULE, teacher=True)
    network.project("lines", "cells", weights=1, rule=RULES["pair_stdp"]())
    network.project("wanted", "cells", weights=1, teacher=True)
    with pytest.raises(SpikeletError, match=r"'cells' has a teacher, but no rule that reads e"):
        spikelet.compile(network)
    network = taught()
    network.project("lines", "cells", weights=1, rule=RULE)
    with pytest.raises(SpikeletError, match=r"rule resume reads e, .* but there is no teacher"):
        spikelet.compile(network)
    network = taught(error=False)
    with pytest.raises(SpikeletError, match=r"have no error that a teacher could load"):
        network.project("wanted", "cells", weights=1, teacher=True)
    with pytest.raises(SpikeletError, match=r"error must be an ErrorParams, not 3"):
        network.population("others", 4, threshold=1, error=3)


def test_the_second_of_two_rules_may_be_the_one_that_reads_errors() -> None:
    network = taught()
    network.inputs("more", 6)
    plain = replace(RULE, dw="2^-4*x1*y0", name="plain")
    network.project("more", "cells", weights=(0, 40), rule=plain)
    network.project("wanted", "cells", weights=1, connectivity="one_to_one", teacher=True)
    with pytest.raises(SpikeletError, match=r"has a teacher, but no rule that reads e"):
        spikelet.compile(network)
    network.project("lines", "cells", weights=(0, 40), rule=RULE)
    core = spikelet.compile(network).core("cells")
    assert core.learning.reads_error and core.teacher_axons == 4


def test_teachers_and_short_term_plasticity_in_one_core() -> None:
    """Teachers load as much as without it; what the others bring is scaled."""
    network = taught()
    network.project("wanted", "cells", weights=1, connectivity="one_to_one", teacher=True)
    scaled = spikelet.ShortTermPlasticity.of(0.5, 100, 10)
    network.project("lines", "cells", weights=(0, 40), rule=RULE, short_term=scaled)
    compiled = spikelet.compile(network)
    marks = compiled.image.cores[0].short_term
    assert marks[:-4].all() and not marks[-4:].any()
    wrong = replace(compiled.image.cores[0], short_term=np.ones_like(marks))
    with pytest.raises(SpikeletError, match="axons of teachers have no short-term plasticity"):
        wrong.check(compiled.chip.cores[0], "core 0")
    network = taught()
    with pytest.raises(SpikeletError, match="a teacher has no short-term plasticity"):
        network.project("wanted", "cells", weights=1, teacher=True, short_term=scaled)
