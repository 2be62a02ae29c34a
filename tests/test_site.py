"""The site: every page is in it, every public name, and it builds without a warning."""

import re
import shutil
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


@pytest.mark.slow
def test_the_first_tutorial_ends_on_a_virtual_board(tmp_path: Path) -> None:
    """Its commands as they stand, but for the port that the board prints."""
    page = (DOCS / "snntorch-to-board.md").read_text()
    commands = re.findall(
        r"^spikelet .*$", "\n".join(re.findall(r"```sh\n(.*?)```", page, re.S)), re.M
    )
    assert [command.split()[1] for command in commands] == [
        *("check", "compile", "verify", "build", "virtual-board", "run")
    ]
    for name in ("digits.nir", "digits_test.npz"):
        shutil.copy(ROOT / "examples" / "digits" / name, tmp_path)
    *made, board, run = ([sys.executable, "-m", "spikelet", *c.split()[1:]] for c in commands)
    for command in made:
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    with subprocess.Popen(board, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as simulated:
        assert simulated.stdout is not None
        try:
            lines = iter(simulated.stdout.readline, "")
            port = next(found[0] for line in lines if (found := re.search(r"/dev/pts/\d+", line)))
            command = [port if word.startswith("/dev/") else word for word in run]
            done = subprocess.run(
                command, cwd=tmp_path, check=True, capture_output=True, text=True, timeout=300
            )
        finally:
            simulated.terminate()
    assert "3 samples of 17 ticks, 100.00% classified as labelled" in done.stdout
