"""The pages in docs: generated parts are up to date, and what they name exists."""

import importlib.util
import re
import shlex
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import h5py  # type: ignore[import-untyped]
import numpy as np
import pytest

import spikelet
from spikelet.boards import BOARDS
from spikelet.cli import main
from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.memory_map import CHIP_REGISTERS, ChipMap
from spikelet.description.neurons.model import NeuronModel
from spikelet.description.neurons.models import neuron_model, neuron_models
from spikelet.description.neurons.text import FUNCTIONS, INPUTS
from spikelet.event_data.event_readers import EVENT_READERS
from spikelet.fpga.families import devices
from spikelet.nir.handlers import HANDLERS
from spikelet.samples.decode import CLASS_IS
from spikelet.samples.encode import ENCODERS
from spikelet.samples.sample_readers import NEEDED, READERS
from tests.helpers.networks import RESETS

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = (
    "accuracy",
    "architecture",
    "asic",
    "contributing",
    "conversion",
    "data",
    "equality",
    "faq",
    "field",
    "formal",
    "fpga",
    "gallery",
    "glossary",
    "installing",
    "learning",
    "learning-experiments",
    "learning-network",
    "literature-experiments",
    "measures",
    "memory-map",
    "memristors",
    "network-on-chip",
    "networks",
    "neurons",
    "own-board",
    "own-neuron",
    "own-rule",
    "peers",
    "placement",
    "plastic-networks",
    "quantisation",
    "results",
    "security",
    "simulate-any-verilog",
    "simulation",
    "snntorch-to-board",
    "sweeps",
    "system-on-chip",
    "throughput",
    "tick-contract",
    "tuning",
    "verification-ip",
)

_FOLDERS = "spikelet|description|golden|rtl_gen|formal|sim|host|tests|fpga|boards|asic"
_FOLDERS += "|docs|examples|benchmarks"


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_generate", DOCS / "generate.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def text_of(page: str) -> str:
    return (DOCS / f"{page}.md").read_text()


def test_generated_parts_are_up_to_date(generate: ModuleType) -> None:
    assert generate.main(["--check"]) == 0


@pytest.mark.parametrize(
    ("page", "right", "wrong"),
    [("memory-map", "`0x0800`", "`0x0801`"), ("networks", "A factor on", "A summand of")],
)
def test_check_finds_a_page_that_is_out_of_date(
    generate: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    page: str,
    right: str,
    wrong: str,
) -> None:
    for name in generate.PARTS:
        (tmp_path / name).write_text((DOCS / name).read_text())
    changed = tmp_path / f"{page}.md"
    assert right in text_of(page)
    changed.write_text(text_of(page).replace(right, wrong, 1))
    monkeypatch.setattr(generate, "FOLDER", tmp_path)
    assert generate.main(["--check"]) == 1
    assert generate.main([]) == 0
    assert changed.read_text() == text_of(page)
    changed.write_text("no marks")
    with pytest.raises(ValueError, match=rf"{page}\.md has lost the marks"):
        generate.main([])


def test_the_example_shows_every_kind_of_region(generate: ModuleType) -> None:
    chip_map = ChipMap(generate.EXAMPLE)
    shown = set().union(*chip_map.cores)
    explained = text_of("memory-map").partition("## The example")[0]
    assert len(shown) == 18
    assert all(f"`{name}`" in explained for name in shown)
    assert all(f"`{name}`" in text_of("memory-map") for name in CHIP_REGISTERS)


@pytest.mark.parametrize("page", PAGES)
def test_links_and_paths_lead_somewhere(page: str) -> None:
    text = text_of(page)
    for link in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (DOCS / link).exists(), f"{page}.md links to {link}"
    for path in re.findall(rf"`((?:{_FOLDERS})/[\w./-]*)`", text):
        assert (ROOT / path).exists(), f"{page}.md names {path}"


def test_the_models_are_those_of_the_code() -> None:
    for name in RESETS:
        assert re.search(rf"^\| `{name}` \|", text_of("tick-contract"), re.MULTILINE)
        assert f"`{name}`" in text_of("networks")
    for name, model in neuron_models().items():
        assert f"| `{name}` | {model.description} |" in text_of("neurons")
    for functions in (FUNCTIONS, INPUTS):
        assert all(f"`{name}" in text_of("neurons") for name in functions)


def test_the_lines_of_the_contract_are_those_of_the_model() -> None:
    shown = (
        text_of("tick-contract").partition("without adaptation:\n\n```\n")[2].partition("```")[0]
    )
    model = neuron_model("nir-euler")
    loaded = dict.fromkeys(
        ("threshold", "decay", "bias", "reset_potential", "inhibition"), "neuron"
    )
    written = NeuronModel("shown", shown, model.states[:2], model.parameters[:5])
    updates = [
        CoreParams(4, 4, neuron, lanes=4, parameters=loaded).update for neuron in (model, written)
    ]
    found = [
        ([[(a.name, a.value) for a in line] for line in update.lines], update.results)
        for update in updates
    ]
    assert found[0] == found[1]


def test_the_example_of_neurons_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = re.findall(r"```(toml|python)\n(.*?)```", text_of("neurons"), re.DOTALL)
    assert [language for language, _ in blocks] == ["toml", "python"]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.toml").write_text(blocks[0][1])
    exec(compile(blocks[1][1], "neurons.md", "exec"), {})


def test_nodes_devices_and_boards_are_all_there() -> None:
    for handler in HANDLERS:
        lines = text_of("networks").splitlines()
        row = next(line for line in lines if line.startswith(f"| `{handler.kind}` | "))
        assert all(f"`{field.name}`" in row for field in handler.fields)
    text = text_of("fpga")
    for device in devices().values():
        numbers = [
            device.capacity.get(name, "-") for name in ("luts", "block_rams", "dsps", "sprams")
        ]
        assert f"| `{device.name}` | {' | '.join(map(str, numbers))} |" in text
    for board in BOARDS.values():
        clocks = f"{board.clock_hz / 1e6:g} MHz | {board.chip_hz / 1e6:g} MHz"
        assert f"| `{board.name}` | `{board.device}` | {clocks} |" in text
        for programmer in (*board.programmers, *board.flash_programmers):
            assert f"`{programmer} design." in text_of("installing")


def test_code_of_the_networks_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with h5py.File("cropped.nir", "w") as file:
        file["node/type"] = "NIRGraph"
        fields: dict[str, dict[str, Any]] = {
            "in": {"type": "Input", "shape": [5]},
            "crop": {"type": "Crop", "first": 1, "last": 4},
            "if": {"type": "IF", "r": [1.0], "v_threshold": [0.5]},
            "out": {"type": "Output", "shape": [3]},
        }
        for name, values in fields.items():
            for field, value in values.items():
                file[f"node/nodes/{name}/{field}"] = value
        edges = [("in", "crop"), ("crop", "if"), ("if", "out")]
        file["node/edges"] = np.array(edges, h5py.string_dtype())
    (node,) = re.findall(r"```python\n(.*?)```", text_of("networks"), re.DOTALL)
    found: dict[str, Any] = {}
    exec(node, found)
    assert (found["network"].projections[0].weights == np.eye(5)[:, 1:4]).all()
    spikes = np.array([[[1, 0, 0, 0, 1], [0, 0, 0, 0, 0], [0, 1, 1, 1, 0]]])
    counts = spikelet.run(found["compiled"], spikes).output_counts()
    assert counts.tolist() == [[1, 1, 1]]


def test_code_of_the_data_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "one.lists").write_text("0 4\n\n1 2 3\n")
    (tmp_path / "one.pixels").write_text("5 7\n8 0\n")
    binned, samples, events = re.findall(r"```python\n(.*?)```", text_of("data"), re.DOTALL)
    found: dict[str, Any] = {}
    exec(binned, found)
    assert np.argwhere(found["samples"].spikes[0]).tolist() == [[0, 1], [1, 2], [1, 3]]
    exec(samples, found)
    expected = [[[1, 0, 0, 0, 1], [0, 0, 0, 0, 0], [0, 1, 1, 1, 0]]]
    assert found["samples"].spikes.tolist() == expected
    exec(events, found)
    assert np.argwhere(found["few"].spikes[0]).tolist() == [[0, 7], [3, 0]]


def test_kinds_of_samples_files_are_all_there() -> None:
    for reader in READERS:
        (suffix,) = reader.suffixes
        assert f"| `{suffix}` | " in text_of("data") and suffix in NEEDED


def test_event_files_options_and_decoders_are_all_there() -> None:
    text = text_of("data")
    for reader in EVENT_READERS:
        assert all(f"`{suffix}`" in text for suffix in reader.suffixes if suffix != ".aedat")
    for option in main.commands["data"].params:
        name = option.opts[-1]
        if name.startswith("--") and name not in ("--out", "--quiet"):
            assert re.search(rf"{name}\b", text), name
    assert all(f"| `{name}` | " in text for name in CLASS_IS)
    assert all(f"`{name}`" in text for name in (*ENCODERS, "delta"))


BLOCK = re.compile(r"```(?:python|\{code-cell\} python)\n(.*?)```", re.DOTALL)
RUN = {
    "learning-network": None,
    "own-board": None,
    "own-neuron": "rectified.toml",
    "own-rule": "rule.toml",
    "snntorch-to-board": None,
}
"""Pages whose Python runs as it stands, from top to bottom, and the file that their TOML is."""


@pytest.mark.parametrize("page", RUN)
def test_the_python_of_a_page_runs(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But for what simulates Verilog: ``tests/test_site.py`` runs that, in notebooks."""
    monkeypatch.chdir(tmp_path)
    text = text_of(page)
    if file := RUN[page]:
        (toml,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
        (tmp_path / file).write_text(toml)
    blocks = [block for block in BLOCK.findall(text) if "spikelet.verify(" not in block]
    assert blocks
    found: dict[str, Any] = {}
    for block in blocks:
        exec(compile(block, f"{page}.md", "exec"), found)
    if page == "own-rule":
        rule = spikelet.load_rule("rule.toml")
        assert replace(rule, dw=f"dw = {rule.dw}", name="") == replace(found["rule"], name="")
    if page == "snntorch-to-board":
        assert found["accuracy"] > 0.97
    if page == "learning-network":
        counts = found["tested"].output_counts()
        assert not (counts[::2] * counts[1::2]).any() and (counts.sum(axis=1) > 0).all()


def shell_commands() -> list[tuple[str, str]]:
    """Return the page and text of each ``spikelet`` command in a block of any page."""
    found = []
    for path in (ROOT / "README.md", *sorted(DOCS.glob("*.md"))):
        inside = False
        for line in path.read_text().replace("\\\n", " ").splitlines():
            if line.lstrip().startswith("```"):
                inside = not inside
            elif inside and (command := re.match(r"\s*(?:\.venv/bin/)?spikelet (.*)", line)):
                found.append((path.name, command[1]))
    return found


def test_commands_of_the_pages_have_these_verbs_and_options() -> None:
    listed = shell_commands()
    assert len(listed) > 50
    for page, text in listed:
        verb, *words = shlex.split(text, comments=True)
        assert verb in main.commands, f"{page}: {text}"
        command = main.commands[verb]
        try:
            command.make_parser(click.Context(command)).parse_args(words)
        except click.UsageError as error:
            pytest.fail(f"{page}: spikelet {text}: {error.format_message()}")
