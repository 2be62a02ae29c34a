"""What a framework recorded: samples that hold it, the comparison, and where it is said."""

import json
from pathlib import Path
from typing import Any

import nir  # type: ignore[import-untyped]
import numpy as np
import pytest
from click.testing import CliRunner

from spikelet.cli import main
from spikelet.compiler.compile import compile_network
from spikelet.description.errors import SpikeletError
from spikelet.network.reference import run_float
from spikelet.nir.importer import load_network
from spikelet.project import Project
from spikelet.runs.agreement import agreement, agreement_warnings
from spikelet.runs.recorded import compare_recorded, recorded_warnings
from spikelet.runs.run import run
from spikelet.runs.verify import compile_warnings, verify
from spikelet.samples.samples import Samples, load_samples
from tests.helpers.networks import affine, chain, integrator, linear, sink, source, spikes, write

EXPORTED = Path(__file__).parents[1] / "fixtures" / "frameworks"
RECORDED = np.load(EXPORTED / "recorded.npz")

NET = chain([6, 8, 3], seed=3, scale=1 / 4)
SPIKES = spikes(5, 12, 6, seed=1)
RUNS = run_float(NET, SPIKES)
HIDDEN, OUT = (run.spikes.astype(np.uint8) for run in RUNS)


def samples(**expected: Any) -> Samples:
    return Samples(SPIKES, expected={n.removeprefix("_"): v for n, v in expected.items()})


def held(given: Samples) -> Any:
    return compare_recorded(NET, given)


def test_nothing_recorded_is_nothing_compared() -> None:
    assert held(Samples(SPIKES)) is None
    assert compare_recorded(None, samples(_=OUT)) is None


@pytest.mark.parametrize(
    ("what", "values"),
    [
        ("spikes", OUT),
        ("spikes", OUT.astype(np.float32)),
        ("counts", OUT.sum(axis=1)),
        ("potentials", RUNS[1].potentials.astype(np.float32)),
        ("classes", np.where(OUT.any(axis=(1, 2)), OUT.sum(axis=1).argmax(axis=1), -1)),
    ],
)
def test_what_can_be_recorded_of_the_outputs(what: str, values: Any) -> None:
    assert OUT.any() and not OUT.all()
    found = held(samples(_=values))
    assert found.all_equal and [layer.what for layer in found.layers] == [what]
    assert found.words == (
        f"float network equals the recorded {what} in 5 of 5 samples (outputs 5)"
    )
    wrong = values.copy()
    wrong.reshape(5, -1)[3, 0] += 1
    found = held(samples(_=wrong))
    assert found.equal == 4 and found.difference.startswith(f"outputs: {what} of sample 3")
    assert found.layers[0].first.endswith(
        f"recorded {wrong.reshape(5, -1)[3, 0]:g}, float {values.reshape(5, -1)[3, 0]:g}"
    )


def test_outputs_that_are_potentials(tmp_path: Path) -> None:
    """Of a layer without spikes, values within what float32 leaves sure, and classes."""
    nodes = {"in": source(6), "fc": linear(8, 6, 1), "l": integrator(8), "out": affine(3, 8, 2)}
    path = write(tmp_path / "net.nir", {**nodes, "o": sink(3)})
    network = load_network(path, "nir-euler")
    values = run_float(network, SPIKES)[-1].potentials
    assert (values.sum(axis=1).argmax(axis=1) != 0).all(), "not what no spike would give"
    for recorded in (values.astype(np.float32), values.sum(axis=1).argmax(axis=1)):
        found = compare_recorded(network, Samples(SPIKES, expected={"": recorded}))
        assert found and found.all_equal
    found = compare_recorded(network, Samples(SPIKES, expected={"": values + 0.01}))
    assert found and found.equal == 0


def test_layers_are_compared_in_the_networks_order() -> None:
    found = held(samples(_=OUT, p1=OUT, p0=HIDDEN))
    assert [layer.name for layer in found.layers] == ["p0", "p1", "outputs"] and found.all_equal
    other = HIDDEN.copy()
    other[[0, 2], 4] ^= 1
    found = held(samples(_=OUT, p0=other))
    assert found.equal == 3 and [layer.equal for layer in found.layers] == [3, 5]
    assert found.words.endswith("in 3 of 5 samples (p0 3, outputs 5)")
    assert "p0: spikes of sample 0, tick 4, neuron 0" in found.difference
    assert found.to_dict()["layers"][0]["first"] and type(found).from_dict(found.to_dict()) == found


def test_padding_is_not_compared() -> None:
    lengths = np.array([12, 5, 12, 1, 12])
    inside = np.arange(12) < lengths[:, None]
    shown = SPIKES * inside[:, :, None].astype(np.uint8)
    runs = run_float(NET, shown)
    recorded = np.where(inside[:, :, None], runs[1].spikes, 7)
    given = Samples(shown, lengths=lengths, expected={"": recorded})
    assert held(given).all_equal
    potentials = np.where(inside[:, :, None], runs[0].potentials, 99.5)
    assert held(Samples(shown, lengths=lengths, expected={"p0": potentials})).all_equal
    short = Samples(shown, expected={"": recorded})
    assert held(short).equal < 5


@pytest.mark.parametrize(
    ("expected", "words"),
    [
        (
            {"_": OUT[:, :5]},
            r"outputs has shape \(5, 5, 3\) .*\(5, 12, 3\), counts \(5, 3\), or cl",
        ),
        ({"_": OUT[:, :, :2]}, r"shape \(5, 12, 2\)"),
        ({"p0": OUT}, r"p0 has shape \(5, 12, 3\) of whole numbers; .*\(5, 12, 8\)"),
        ({"p0": np.zeros(5, int)}, r"p0 has shape \(5,\)"),
        ({"_": np.full((5, 3), 0.5)}, r"of fractions"),
        ({"lif1": OUT}, "layer 'lif1' is of no layer(?s:.*)with one of p0, p1"),
    ],
)
def test_what_cannot_be_a_recording(expected: dict[str, Any], words: str) -> None:
    with pytest.raises(SpikeletError, match=words):
        held(samples(**expected))


# Files


def save(folder: Path, **arrays: Any) -> Path:
    np.savez(folder / "samples.npz", **{"spikes": SPIKES, **arrays})
    return folder / "samples.npz"


def test_a_samples_file_holds_it(tmp_path: Path) -> None:
    path = save(tmp_path, expected=OUT, layer_p0=HIDDEN, accuracy=0.9)
    found = load_samples(path)
    assert set(found.expected) == {"", "p0"} and held(found).all_equal
    assert held(found.first(2)).samples == 2
    plain = load_samples(save(tmp_path))
    assert not plain.expected and plain.digest != found.digest
    changed = HIDDEN.copy()
    changed[4, 3, 2] ^= 1
    assert load_samples(save(tmp_path, expected=OUT, layer_p0=changed)).digest != found.digest
    both = np.savez(tmp_path / "sets.npz", a_spikes=SPIKES, b_spikes=SPIKES, b_expected_p0=HIDDEN)
    assert both is None and set(load_samples(f"{tmp_path}/sets.npz:b_").expected) == {"p0"}
    assert not load_samples(f"{tmp_path}/sets.npz:a_").expected
    ahead = save(tmp_path, spikes=SPIKES.swapaxes(0, 1), expected=OUT.swapaxes(0, 1))
    assert held(load_samples(ahead, time_first=True)).all_equal


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"expected": OUT[:3]}, r"expected has shape \(3, 12, 3\); it must be of 5 samples"),
        ({"expected": 3}, r"expected has shape \(\)"),
        ({"expected": np.array(["a"] * 5)}, "expected must be numbers, not <U1"),
        ({"expected": np.full((5, 12, 3), np.nan)}, "expected must be finite"),
        ({"layer_p0": HIDDEN, "expected_p0": HIDDEN}, "given twice, as layer_p0 and expected_p0"),
    ],
)
def test_a_samples_file_that_is_wrong(tmp_path: Path, arrays: dict[str, Any], words: str) -> None:
    with pytest.raises(SpikeletError, match=words) as info:
        load_samples(save(tmp_path, **arrays))
    assert "samples.npz" in info.value.args[0]


# Where it is said


def recorded_file(folder: Path, name: str) -> Path:
    arrays = {n.removeprefix(f"{name}/"): RECORDED[n] for n in RECORDED if n.startswith(f"{name}/")}
    return save(folder, spikes=RECORDED["spikes"], labels=RECORDED["labels"], **arrays)


def invoke(*arguments: Any) -> dict[str, Any]:
    found = CliRunner().invoke(main, [str(a) for a in arguments], catch_exceptions=False)
    assert found.exit_code == 0, found.output
    fields: dict[str, Any] = json.loads(found.stdout)
    return fields


def test_from_compile_to_the_page(tmp_path: Path) -> None:
    file, given = EXPORTED / "no_lif_sub.nir", recorded_file(tmp_path, "no_lif_sub")
    folder = tmp_path / "out"
    options = ("--framework", "norse", "--calibration", given, "--json")
    made = invoke("compile", file, "-o", folder, *options)
    assert made["recorded"]["equal"] == 0 and made["recorded"]["samples"] == 40
    fits = "--framework norse --neuron lif-subtract"
    assert made["recorded"]["fitting"] == [fits] and fits in made["warnings"][0]
    assert made["origin"]["framework"] == "norse" and made["origin"]["path"] == file.name
    checked = invoke("verify", folder, given, "--engine", "golden", "--json")
    assert checked["recorded"] == made["recorded"] and fits in checked["warnings"][0]
    page = invoke("report", folder, "--json")["report"]
    text = Path(page).read_text()
    words = "Float network equals the recorded spikes in 0 of 40 samples"
    assert words in text and text.index(words) < text.index('id="verdict"') and fits in text
    right = ("--neuron", "lif-subtract", *options)
    made = invoke("compile", file, "-o", folder, *right)
    assert made["recorded"]["equal"] == 40 and not any("recorded" in w for w in made["warnings"])
    invoke("verify", folder, given, "--engine", "golden", "--json")
    invoke("report", folder, "--json")
    assert words.replace("0 of", "40 of") in Path(page).read_text()


def test_a_page_says_that_nothing_was_compared(tmp_path: Path) -> None:
    compiled = compile_network(EXPORTED / "sx_lif.nir", framework="spyx")
    Project(tmp_path).save(compiled)
    page, _ = Project(tmp_path).report()
    text = page.read_text()
    assert "Nothing was compared with the framework" in text
    assert "read as Spyx 1.0 writes it" in text


def test_terminal_says_it_first(tmp_path: Path) -> None:
    given = recorded_file(tmp_path, "sj_lif")
    arguments = ("compile", EXPORTED / "sj_lif.nir", "-o", tmp_path / "out")
    options = ("--framework", "spikingjelly", "--calibration", given)
    found = CliRunner().invoke(main, [str(a) for a in (*arguments, *options)])
    assert found.stdout.startswith("float network equals the recorded spikes in 40 of 40 samples")
    found = CliRunner().invoke(main, [str(a) for a in (*arguments, *options[:2])])
    assert found.stdout.startswith("nothing was compared with the framework")


@pytest.mark.parametrize(
    ("name", "neuron", "words"),
    [
        ("sj_lif", "lif-ge", ""),
        ("sj_lif", "lif-subtract-ge", "in 0 of 40 samples"),
        ("nothing", "lif-ge", "nothing was compared"),
    ],
)
def test_a_script_can_ask_for_equality(tmp_path: Path, name: str, neuron: str, words: str) -> None:
    """Else a difference is a warning, and nothing to compare is a line."""
    given, folder = recorded_file(tmp_path, name), tmp_path / "out"
    arguments = ["compile", EXPORTED / "sj_lif.nir", "-o", folder, "--framework", "spikingjelly"]
    arguments += ["--neuron", neuron, "--calibration", given]

    def asked(*command: Any) -> str:
        found = CliRunner().invoke(main, [str(a) for a in (*command, "--require-recorded")])
        assert found.exit_code == (1 if words else 0), found.output
        return found.stderr

    assert words in asked(*arguments)
    assert folder.exists() != bool(words), "a network that was refused is written all the same"
    invoke(*arguments, "--json")
    assert words in asked("verify", folder, given, "--engine", "golden")


def test_values_of_a_readout_may_be_whole(tmp_path: Path) -> None:
    """They are potentials all the same, not spikes."""
    nodes = {"in": source(6), "fc": linear(4, 6), "cells": integrator(4)}
    weights = nir.Linear(np.random.default_rng(1).integers(-3, 4, (2, 4)).astype(float))
    file = write(tmp_path / "net.nir", {**nodes, "last": weights, "out": sink(2)})
    network = load_network(file, "nir-euler", 1e-3)
    values = run_float(network, SPIKES)[1].potentials
    assert np.array_equal(values, np.round(values)) and values.std() > 0.5
    found = compare_recorded(network, samples(_out=values))
    assert found and found.all_equal and found.layers[0].what == "potentials"
    wrong = compare_recorded(network, samples(_out=values + 1))
    assert wrong and not wrong.equal


@pytest.mark.parametrize("part", ["test_", "calibration_"])
def test_the_demo_holds_what_snntorch_recorded(part: str) -> None:
    examples = Path(__file__).parents[2] / "examples" / "digits"
    network = load_network(examples / "digits.nir")
    found = compare_recorded(network, load_samples(examples / "digits_test.npz", part))
    assert found and found.all_equal and found.samples in (360, 200)
    assert {layer.name: layer.what for layer in found.layers} == {
        "1": "spikes",
        "outputs": "spikes",
    }
    assert all(layer.recorded > 3000 for layer in found.layers), "hardly a spike is compared"


def test_doubts_are_warnings_until_something_is_compared() -> None:
    network = load_network(EXPORTED / "no_lif.nir", "nir-euler", 1e-6)
    compiled = compile_network(network)
    (doubt,) = compile_warnings(compiled, None)
    assert "nothing says which framework wrote no_lif.nir" in doubt
    given = Samples(RECORDED["spikes"], expected={"": RECORDED["no_lif/expected"]})
    found = compare_recorded(network, given)
    assert found and found.all_equal and not list(recorded_warnings(network.origin, found))


def test_several_spikes_a_tick_are_said_with_their_number() -> None:
    network = load_network(EXPORTED / "si_iaf_default.nir", "lif-ge", framework="sinabs")
    (words,) = recorded_warnings(network.origin, None)
    assert words.startswith("approximate: sinabs 3.1 lets a neuron spike several times in a tick")
    layer = RECORDED["si_iaf_default/layer_1"]
    given = Samples(RECORDED["spikes"], expected={"1": layer})
    fits, words = recorded_warnings(network.origin, compare_recorded(network, given))
    further = int(layer.sum()) - int((layer > 0).sum())
    assert f"of {layer.sum():,} recorded spikes {further:,}" in words and "overlap" in words
    assert "the file fits as read with --framework sinabs" in fits
    single = load_network(EXPORTED / "si_lif_single.nir", "lif-subtract-ge", framework="sinabs")
    given = Samples(RECORDED["spikes"], expected={"": RECORDED["si_lif_single/expected"]})
    assert not list(recorded_warnings(single.origin, compare_recorded(single, given)))


@pytest.mark.parametrize(
    ("name", "bits"),
    [("si_iaf_default", 8), pytest.param("rp_lif", None, marks=pytest.mark.slow)],
)
def test_the_chip_computes_graded_spikes(name: str, bits: int | None) -> None:
    """RTL equals golden, in counts; bits are those that are asked for, or that samples need."""
    framework = {"si": "sinabs", "rp": "rockpool"}[name[:2]]
    shown = RECORDED["spikes"]
    compiled = compile_network(
        EXPORTED / f"{name}.nir",
        framework=framework,
        weight_bits=8,
        potential_bits=24,
        spike_bits=bits,
        calibration=shown,
    )
    expected = RECORDED[f"{name}/expected"]
    assert [core.spike_bits for core in compiled.chip.cores] == [1, bits or 3]
    given = Samples(shown[:6], expected={"": expected[:6]})
    result = verify(compiled, given)
    assert result.equal and result.recorded and result.recorded.all_equal
    assert all(layer.overlap and layer.overlap > 0.7 for layer in result.layers)
    assert not any(layer.full_counts for layer in result.layers)
    ran = run(compiled, shown[:6])
    assert expected.max() > 2 and ran.outputs.max() > 2
    few = compile_network(compiled, spike_bits=1)
    layers = agreement(run(few, shown[:6], record=("spikes", "states")), shown[:6])
    (warning,) = [w for w in agreement_warnings(layers[:1]) if "counts of spikes" in w]
    assert "the most that their bits hold" in warning and "--spike-bits" in warning


@pytest.mark.parametrize("name", ["sx_lif", pytest.param("sj_cuba", marks=pytest.mark.slow)])
def test_the_chip_computes_the_new_models(name: str) -> None:
    """RTL equals golden; golden on wide integers follows the framework."""
    framework = {"sx": "spyx", "sj": "spikingjelly"}[name[:2]]
    compiled = compile_network(
        EXPORTED / f"{name}.nir", framework=framework, weight_bits=8, potential_bits=24
    )
    given = Samples(RECORDED["spikes"][:6], expected={"": RECORDED[f"{name}/expected"][:6]})
    result = verify(compiled, given)
    assert result.equal and result.recorded and result.recorded.all_equal
    assert result.layers[0].overlap and result.layers[0].overlap > 0.85
