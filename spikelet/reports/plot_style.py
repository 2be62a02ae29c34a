"""What the reports' pictures have in common: colours, fonts, axes, and PNG."""

import functools
import io
from collections.abc import Callable
from typing import Any, ParamSpec

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator

from spikelet.compiler.compiled import CompiledNetwork
from spikelet.network.network import INPUT

__all__ = [
    "FAINT",
    "GREY",
    "INK",
    "INPUT_COLOUR",
    "PALE",
    "PALETTE",
    "WIDTH",
    "as_png",
    "layer_colours",
    "layer_title",
    "short",
    "tick_axis",
]

_P = ParamSpec("_P")

INK, GREY, PALE = "#1b1f24", "#6b7480", "#d5dae0"
INPUT_COLOUR, FAINT = "#4d5761", "#b4bcc6"
PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
"""Okabe and Ito's colours, told apart with any colour vision."""

WIDTH = 9.6
_WEIGHTS = ("normal", "bold")
_STYLE: Any = {  # its type differs between matplotlib's versions
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "text.color": INK,
    "text.parse_math": False,  # a dollar sign in a layer's name is a dollar sign
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "grid.color": "#e6e9ed",
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "figure.facecolor": "white",
}


def as_png(draw: Callable[_P, Figure]) -> Callable[_P, bytes]:
    """Give a drawing function the common style, and let it return the bytes of a PNG."""

    @functools.wraps(draw)
    def drawn(*args: _P.args, **kwargs: _P.kwargs) -> bytes:
        file = io.BytesIO()
        with rc_context(_STYLE):
            figure = draw(*args, **kwargs)
            _escape(figure)
            figure.savefig(file, format="png", dpi=160, metadata={"Software": None})
        return file.getvalue()

    return drawn


def _escape(figure: Figure) -> None:
    """Write characters that the font lacks by their numbers, in all texts of a figure.

    The page beside the picture has the names as they are.
    """
    for text in figure.findobj(Text):
        text.set_text(_drawable(text.get_text()))


def _drawable(text: str) -> str:
    fonts = [
        get_font(findfont(FontProperties(family=_STYLE["font.family"], weight=w))) for w in _WEIGHTS
    ]
    return "".join(
        char
        if char == "\n" or all(font.get_char_index(ord(char)) for font in fonts)
        else char.encode("unicode_escape").decode()
        for char in text
    )


def layer_colours(compiled: CompiledNetwork) -> dict[str, str]:
    """Return the colour of each layer, and of the inputs, by name."""
    names = [layer.name for layer in compiled.layers]
    inputs = dict.fromkeys((INPUT, *(g.name for g in compiled.network.inputs)), INPUT_COLOUR)
    return inputs | {n: PALETTE[i % len(PALETTE)] for i, n in enumerate(names)}


def layer_title(compiled: CompiledNetwork, name: str, longest: int) -> str:
    """Return what a picture calls a layer: by its name, or by its place where that is a number.

    snnTorch's exporter numbers modules, so that the layers of a network of two are "1" and "3".
    """
    if not name[:1].isdigit():
        return f"layer {short(name, longest)}"
    names = [layer.name for layer in compiled.layers]
    return f"layer {names.index(name) + 1} of {len(names)}"


def short(text: str, longest: int) -> str:
    """Return a text, its end cut off where it is too long."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def tick_axis(axes: Axes, ticks: int) -> None:
    """Let the x axis show all ticks of a run, numbered by integers."""
    axes.set_xlim(-0.6, ticks - 0.4)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=17, min_n_ticks=1))
