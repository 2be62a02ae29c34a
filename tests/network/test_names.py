"""Names in any script and with any characters: kept, shown, and never markup, path or code."""

import html
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from spikelet.compiler.compile import compile_network
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.golden import chip as golden_chip
from spikelet.network.limits import PlacementLimits
from spikelet.reports.plot_style import as_png
from spikelet.reports.report import write_report
from spikelet.results import show_compiled
from spikelet.samples.samples import Samples
from spikelet.terminal import Terminal
from tests.helpers.networks import EULER, lif, linear, sink, source, write

NAMES = (
    *("module", "output", "out_lif", "1", "fc 1.lif", "层一", "größe", "عصبون", 'a"b', "a\\b"),
    *("<b>x</b>", "[red]x[/red]", "[/]", "{{7*7}}", "{0}", "a\nb", "a\tb\x07", "%s", "..", "$x_1$"),
    *("x" * 300, ":smile:", "\U0001f9e0", "-rf"),
)


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> tuple[CompiledNetwork, Path]:
    """Compile a chain of one layer for each name, of a file with an odd name of its own."""
    nodes = {"in": source(3)}
    for index, name in enumerate(NAMES):
        nodes[f"fc{index}"] = linear(3, 3, index)
        nodes[f"fc{index}"].weight = np.abs(nodes[f"fc{index}"].weight) + 1
        nodes[name] = lif(3)
    nodes["out"] = sink(3)
    folder = tmp_path_factory.mktemp("names")
    path = folder / "a'b$c;\n<i>网络.nir"
    path.write_bytes(write(folder / "n.nir", nodes).read_bytes())
    return compile_network(
        path, EULER, 1e-3, limits=PlacementLimits(max_neurons=4, lanes=1)
    ), folder


def test_names_survive_every_stage(odd: tuple[CompiledNetwork, Path]) -> None:
    compiled, folder = odd
    compiled.save(folder / "project")
    loaded = CompiledNetwork.load(folder / "project")
    assert [layer.name for layer in loaded.layers] == list(NAMES)
    assert loaded.name == compiled.name == "a'b$c;\n<i>网络"
    assert not {path.name for path in folder.iterdir()} - {"project", "n.nir", f"{loaded.name}.nir"}


def test_names_in_the_report_are_text(odd: tuple[CompiledNetwork, Path]) -> None:
    """Pictures too: a glyph that a font lacks would be a warning, which here is an error."""
    compiled, folder = odd
    samples = Samples(np.ones((2, 8, 3), np.uint8), np.zeros(2, np.int64))
    trace = golden_chip.run(compiled.chip, compiled.image, compiled.events(samples.spikes))
    page = write_report(
        folder / "report",
        compiled=compiled,
        samples=samples,
        verification=None,
        trace=trace,
        fpga=[],
    )
    text = page.read_text()
    for name in ("层一", "größe", "<b>x</b>", "[red]x[/red]", "{{7*7}}", "$x_1$"):
        assert html.escape(name) in text or html.escape(name, quote=False) in text, name
    assert "<b>x</b>" not in text and "<i>网络" not in text


def test_names_in_the_terminal_are_text(
    odd: tuple[CompiledNetwork, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    show_compiled(Terminal(), odd[0])
    said = capsys.readouterr().out
    for name in ("[red]x[/red]", "[/]", ":smile:", "层一"):
        assert name in said


def test_letters_that_the_font_lacks_are_drawn_by_their_numbers() -> None:
    drawn = {}

    def figure(text: str) -> Figure:
        made = Figure()
        axes = made.subplots()
        axes.set_title(text, loc="right")
        axes.text(0, 0, text, weight="bold")
        axes.plot([0], label=text)
        axes.legend()
        drawn[text] = axes.texts[0]
        return made

    for text, shown in (
        ("größe\nα", "größe\nα"),
        ("层\tb", "\\u5c42\\tb"),
        ("\U0001f9e0", "\\U0001f9e0"),
    ):
        as_png(figure)(text)
        assert drawn[text].get_text() == shown
