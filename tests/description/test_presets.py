"""Presets: those that are there, a user's own, and messages that name what is wrong."""

from dataclasses import replace
from pathlib import Path

import pytest

from spikelet.description.errors import SpikeletError
from spikelet.description.presets.presets import preset, presets, read_preset

MINE = """
name = "mine"
description = "two by two"
source = "here"
neuron = "tinyodin-lif"
n_axons = 2
n_neurons = 2
weight_bits = 3
lanes = 2
"""


def test_the_presets_that_are_there() -> None:
    assert list(presets()) == ["loihi", "odin", "tinyodin", "truenorth"]
    for name, found in presets().items():
        assert found.name == name and found.differs and found.table
        core = found.core()
        assert (core.n_axons, core.n_neurons) == (found.n_axons, found.n_neurons)
        assert core.delay_slots > found.longest_delay
        assert preset(found) is found and preset(name) is found


def test_the_page_names_every_preset() -> None:
    page = (Path(__file__).parents[2] / "docs" / "presets.md").read_text()
    assert [name for name in presets() if f"| `{name}` |" not in page] == []


def test_tinyodin_is_of_the_published_size() -> None:
    core = preset("tinyodin").core()
    assert (core.n_axons, core.n_neurons, core.weight_bits, core.potential_bits) == (
        256,
        256,
        4,
        12,
    )
    assert core.parameter_ranges == {"threshold": (1, 2047), "leak": (0, 127)}
    assert (core.weight_min, core.weight_max) == (-8, 7)


def test_a_preset_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(MINE)
    found = preset(str(path))
    assert found == preset(path) == read_preset(path)
    assert (found.weight_bits, found.potential_bits, found.longest_delay) == (3, 16, 1)
    path.write_text(MINE + 'rule = "pair_stdp"\n[rule_options]\nw_min = -4\nw_max = 3\n')
    rule = preset(path).core().learning
    assert rule and rule.name == "pair_stdp" and (rule.w_min, rule.w_max) == (-4, 3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("n_axons = 2\n", ""), "key 'n_axons' is missing"),
        (("n_axons", "axons"), "unknown key 'axons'; valid keys are name"),
        (("n_axons = 2", "n_axons = 0"), "n_axons must be an int in 1..4096, not 0"),
        (('source = "here"', 'source = ""'), "source must be a text that is not empty, not ''"),
        (("lanes = 2", "longest_delay = 64"), "longest_delay must be an int in 1..63, not 64"),
        (("lanes = 2", 'rule = "none"'), "rule must be one of pair_stdp"),
        (("lanes = 2", "parameters = 3"), "parameters must be a table, not 3"),
        (("lanes = 2", 'differs = "all"'), "differs must be a list of texts, not 'all'"),
        (("lanes = 2", "tick_timer = 0"), "tick_timer must be true or false, not 0"),
        (("tinyodin-lif", "lif"), "there is no neuron model 'lif'"),
        (("lanes = 2", 'parameters = { tau = "shared" }'), "tau"),
        (("lanes = 2", "lanes ="), "mine.toml"),
    ],
)
def test_messages(change: tuple[str, str], message: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(MINE.replace(*change))
    with pytest.raises(SpikeletError, match=message) as error:
        read_preset(path)
    assert str(error.value).startswith(str(path))


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SpikeletError, match="there is no preset 'odin2'") as error:
        preset("odin2")
    assert "loihi, odin, tinyodin, truenorth" in error.value.remedy
    with pytest.raises(SpikeletError, match=r"none.toml cannot be read"):
        preset("none.toml")
    with pytest.raises(SpikeletError, match="a preset is a name or a file, not 3"):
        preset(3)  # type: ignore[arg-type]
    path = tmp_path / "odd.toml"
    path.write_bytes(b"\xff")
    with pytest.raises(SpikeletError, match="is not a text"):
        preset(path)
    with pytest.raises(SpikeletError, match="weight_bits must be an int in 1..8, not 9"):
        replace(preset("tinyodin"), weight_bits=9)
