"""The report in a real browser: nothing cut, readable, reachable by keyboard, named, printable."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page

from spikelet.compiler.compile import compile_network
from spikelet.network.limits import PlacementLimits
from spikelet.reports.report import write_report
from spikelet.runs.drift import drift
from spikelet.runs.throughput import throughput
from spikelet.samples.samples import Samples
from tests.helpers.browser import chromium, opened
from tests.helpers.networks import chain, spikes
from tests.reports.test_report import fpga_report, golden_run, verification

WIDTHS = (1400, 768, 375)


pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def path(tmp_path_factory: Any) -> Path:
    """Return a page that has all of its parts but learning."""
    compiled = compile_network(chain([16, 12, 3]), limits=PlacementLimits(max_neurons=8, lanes=4))
    samples = Samples(spikes(5, 6, 16), np.array([0, 1, 2, 0, 1]))
    return write_report(
        tmp_path_factory.mktemp("browser"),
        compiled=compiled,
        samples=samples,
        verification=verification(compiled),
        trace=golden_run(compiled, samples),
        fpga=[fpga_report()],
        sample=3,
        drifts=drift(compiled, samples),
        throughput=throughput(compiled, samples),
    )


@pytest.fixture(scope="module")
def page(path: Path) -> Iterator[Page]:
    with chromium() as browser, opened(browser, path) as shown:
        yield shown


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_cut_and_all_is_readable(page: Page, width: int, scheme: Any) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    page.evaluate("for (const e of document.querySelectorAll('details')) e.open = true")
    assert page.evaluate("cut()") == []
    assert page.evaluate("faint()") == []
    white = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert white == (scheme == "light")


def test_names_for_screen_readers(page: Page) -> None:
    assert page.evaluate("unnamed()") == []


@pytest.mark.parametrize("width", [1400, 375])
def test_the_keyboard_reaches_everything(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.reload()  # the focus is before everything, and details are closed
    page.evaluate("reachable().forEach((e, i) => (e.dataset.nth = i))")
    count = page.evaluate("reachable().length")
    assert count > 10
    reached = []
    for _ in range(count):
        page.keyboard.press("Tab")
        seen = (
            "(e) => [e.dataset.nth ?? e.outerHTML.slice(0, 80), getComputedStyle(e).outlineStyle]"
        )
        nth, outline = page.evaluate(f"({seen})(document.activeElement)")
        assert outline != "none", f"the focus does not show on {nth}"
        reached.append(nth)
    assert sorted(reached) == sorted(str(nth) for nth in range(count))


def test_a_key_opens_details(page: Page) -> None:
    page.evaluate("for (const e of document.querySelectorAll('details')) e.open = false")
    page.locator("summary").first.focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.querySelector('details').open")


def test_it_prints(page: Page) -> None:
    page.set_viewport_size({"width": 688, "height": 1017})  # A4 less the margins, 96 pixels an inch
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("cut()") == []
    assert page.evaluate("faint()") == []
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not page.locator("nav").is_visible()
    assert page.pdf(format="A4").startswith(b"%PDF")
