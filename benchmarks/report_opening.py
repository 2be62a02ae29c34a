"""How fast the report opens in Chromium: ``python -m benchmarks.report_opening``.

The page shows at least the given number of spikes. Measured is the time from the beginning of the
navigation until the page is loaded and its first frame drawn, each time in a new window.
"""

import shutil
import statistics
import tempfile
from pathlib import Path

import numpy as np
from playwright.sync_api import sync_playwright

from benchmarks.boards import EXAMPLE, digits_network
from benchmarks.support import (
    console,
    options_of,
    print_versions,
    run,
    verdict,
    versions,
    write_json,
)
from spikelet.description.errors import SpikeletError
from spikelet.golden import chip as golden_chip
from spikelet.reports.picker_section import content
from spikelet.reports.report import write_report
from spikelet.reports.section import Parts
from spikelet.runs.run_result import Run
from spikelet.samples.samples import Samples, load_samples

__all__ = ["main"]

GOAL_S = 1.0
_FRAME = """() => new Promise((done) => requestAnimationFrame(() => setTimeout(
    () => done(performance.now() / 1000))))"""


def main() -> int:
    """Run the benchmark."""
    options = options_of(
        __doc__,
        spikes={"type": int, "default": 10_000, "help": "at least, shown on the page"},
        times={"type": int, "default": 5, "help": "that the page is opened"},
    )
    program = shutil.which("chromium")
    if program is None:
        raise SpikeletError("Chromium is missing", remedy="sudo apt-get install chromium")
    print_versions(tools := versions("playwright"))
    with tempfile.TemporaryDirectory() as folder:
        page, spikes = _page(Path(folder), options.spikes)
        seconds, browser = _opened(program, page, options.times)
        size = page.stat().st_size
    median = statistics.median(seconds)
    console.print(f"Chromium {browser}; {spikes:,} spikes shown; page of {size / 1e6:.2f} MB")
    console.print(
        f"opens in {median:.2f} s (median of {len(seconds)}, {min(seconds):.2f} to "
        f"{max(seconds):.2f}); under {GOAL_S:g} s: {verdict(median < GOAL_S)}"
    )
    tools["chromium"] = browser
    write_json(options.json, {"versions": tools, "spikes": spikes, "bytes": size, "s": seconds})
    return 0


def _page(folder: Path, least: int) -> tuple[Path, int]:
    """Write the report of the digits network on random input; return its page, and the spikes."""
    compiled = digits_network(8)
    known = load_samples(EXAMPLE / "digits_test.npz", "test_")
    shape = known.spikes.shape[1:]
    rng = np.random.default_rng(0)
    share = 1.1 * least / (10 * shape[0] * shape[1])
    samples = Samples((rng.random((10, *shape)) < min(1.0, share)).astype(np.uint8))
    trace = golden_chip.run(
        compiled.chip,
        compiled.image,
        compiled.events(samples.spikes),
        record=("spikes", "states"),
        neurons=compiled.neurons,
    )
    shown = content(Parts(compiled, samples, Run(compiled, trace), "count", 0, []))
    spikes = sum(
        len(la["spikes"]) for s in (shown or {"samples": []})["samples"] for la in s["layers"]
    )
    if spikes < least:
        raise SpikeletError(f"the page shows {spikes:,} spikes", remedy="ask for fewer (--spikes)")
    page = write_report(
        folder, compiled=compiled, samples=samples, verification=None, trace=trace, fpga=[]
    )
    return page, spikes


def _opened(program: str, page: Path, times: int) -> tuple[list[float], str]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program)
        seconds = []
        for _ in range(times):
            window = browser.new_page()
            window.goto(page.as_uri())
            seconds.append(float(window.evaluate(_FRAME)))
            window.close()
        version = browser.version
        browser.close()
    return seconds, version


if __name__ == "__main__":
    run(main)
