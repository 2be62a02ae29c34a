"""The site: every page is in it, every public name, and it builds without a warning."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import spikelet

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
INDEX = (DOCS / "index.md").read_text()
TITLES = ("Tutorials", "How-to", "Reference", "Explanation")


def parts() -> dict[str, list[str]]:
    """Return the pages of each table of contents, by its title."""
    trees = re.findall(r"```\{toctree\}\n((?::.*\n)*)\n((?:.+\n)*)```", INDEX)
    titles = [re.search(r":caption: (.*)", options)[1] for options, _ in trees]
    return {title: pages.split() for title, (_, pages) in zip(titles, trees, strict=True)}


def test_every_page_is_in_one_of_the_four_parts() -> None:
    assert tuple(parts()) == TITLES
    listed = [page for pages in parts().values() for page in pages]
    assert sorted([*listed, "index"]) == sorted(path.stem for path in DOCS.glob("*.md"))


def test_every_public_name_is_in_the_reference() -> None:
    text = (DOCS / "api.md").read_text()
    named = re.findall(r"^\.\. (?:auto(?:class|function)|py:data):: spikelet\.(\w+)$", text, re.M)
    assert sorted(named) == sorted(spikelet.__all__)


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    options = ["-q", "-W", "--keep-going", "-d", str(tmp_path / "trees")]
    command = [sys.executable, "-m", "sphinx", *options, "docs", str(tmp_path / "site")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr  # notebooks' kernels speak there, too
    for page in (page for pages in parts().values() for page in pages):
        assert (tmp_path / "site" / f"{page}.html").exists(), page
