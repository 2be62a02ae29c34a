"""What is compiled once is used again only if it is whole and the user's own."""

import ctypes
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from spikelet.description import cache
from spikelet.description.cache import build_folder, cache_folder, cached, sealed
from spikelet.description.errors import SpikeletError, SpikeletWarning
from spikelet.description.toolchain import (
    build_identity,
    c_compiler,
    c_library,
    compiler,
    load_library,
)
from spikelet.golden import native
from spikelet.sim import verilated_cpp, verilator

CONTENTS = b"\x7fELF made once" * 1000

needs_compiler = pytest.mark.skipif(not native.available(), reason=native.why_not())


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Use a cache folder of the test's own."""
    monkeypatch.setenv("SPIKELET_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def make(name: str, made: list[str], contents: bytes = CONTENTS) -> Path:
    """Return a file of the cache; note in ``made`` when it is built."""

    def build(here: Path) -> Path:
        made.append(name)
        (here / "out").write_bytes(contents)
        return here / "out"

    return cached(name, build)


DAMAGES = {
    "cut": lambda data: data[:-100],
    "cut to nothing": lambda data: b"",
    "changed": lambda data: data[:50] + bytes([data[50] ^ 1]) + data[51:],
    "without seal": lambda data: data[:-32],
    "another program": lambda data: b"#!/bin/sh\nrm -rf /\n",
    "longer": lambda data: data + b"\0",
}


@pytest.mark.parametrize("place", ["kernels", "models", "runtime/0123"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_built_again(folder: Path, place: str, damage: str) -> None:
    made: list[str] = []
    path = make(f"{place}/a.so", made)
    whole = path.read_bytes()
    assert make(f"{place}/a.so", made) == path and len(made) == 1
    path.write_bytes(DAMAGES[damage](whole))
    assert not sealed(path)
    assert make(f"{place}/a.so", made) == path and len(made) == 2
    assert path.read_bytes() == whole


@pytest.mark.parametrize("damage", DAMAGES)
def test_models_and_run_time_are_sealed(
    folder: Path, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every file that a Verilated chip keeps: what builds it is called again for a bad one."""
    commands: list[list[str]] = []

    def run(command: list[str], here: Path, *_: str, **__: str) -> str:
        commands.append(list(command))
        if "-o" in command:
            (here / command[command.index("-o") + 1]).write_bytes(CONTENTS)
        return ""

    monkeypatch.setattr(verilated_cpp, "_run", run)
    harness = folder.parent / "harness.cpp"
    harness.write_text("")
    design = verilator.Design("module chip; endmodule")

    def build() -> Path:
        return verilator.build_library(design, "chip", harness, optimise="build")

    library = build()
    first = len(commands)
    assert build() == library and len(commands) == first
    kept = [path for path in folder.rglob("*") if path.is_file()]
    assert sorted(path.suffix for path in kept) == [".gch", ".o", ".o", ".so"]
    for path in kept:
        before = len(commands)
        whole = path.read_bytes()
        path.write_bytes(DAMAGES[damage](whole))
        library.unlink(missing_ok=True)  # so that the run time is asked for
        assert build() == library and len(commands) > before
        assert path.read_bytes() == whole


@needs_compiler
def test_a_cut_library_is_not_loaded(folder: Path, tmp_path: Path) -> None:
    """Loading one ends the process with a bus error, so this is tried in another."""
    source = tmp_path / "answer.c"
    source.write_text("char room[1 << 20] = {1}; int answer(void) { return 42 + room[99]; }")
    assert c_library(source).answer() == 42
    (library,) = folder.rglob("*.so")
    cut = library.read_bytes()[:20_000]
    library.unlink()  # this process has it loaded, and would end with a bus error, too
    library.write_bytes(cut)
    script = (
        "import sys, pathlib; from spikelet.description.toolchain import c_library;"
        "print(c_library(pathlib.Path(sys.argv[1])).answer())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(source)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "42\n"), done.stderr


def test_a_link_is_not_followed(folder: Path) -> None:
    made: list[str] = []
    path = make("models/a.so", made)
    elsewhere = folder.parent / "planted.so"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)
    assert not sealed(path)
    assert not make("models/a.so", made).is_symlink() and len(made) == 2


@pytest.mark.parametrize("what", [".", "models"])
def test_a_folder_that_others_can_write_is_refused(folder: Path, what: str) -> None:
    made: list[str] = []
    make("models/a.so", made)
    (folder / what).chmod(0o777)
    with pytest.raises(SpikeletError, match="can be written by every user") as caught:
        make("models/a.so", made)
    assert f"chmod go-w {folder / what}" in caught.value.remedy
    assert len(made) == 1


def test_a_group_that_has_others_may_not_write(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make("models/a.so", [])
    folder.chmod(0o770)
    monkeypatch.setattr(cache, "_private_group", lambda group: True)
    make("models/a.so", [])
    monkeypatch.setattr(cache, "_private_group", lambda group: False)
    with pytest.raises(SpikeletError, match="other users of its group"):
        make("models/a.so", [])


def test_what_another_user_owns_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder: refused; a file in one's own folder: built again, and said."""
    made: list[str] = []
    path = make("models/a.so", made)
    mine = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: mine + 1)
    with pytest.raises(SpikeletError, match="belongs to another user"):
        make("models/a.so", made)
    monkeypatch.undo()
    monkeypatch.setenv("SPIKELET_CACHE", str(folder))
    path.chmod(0o666)
    with pytest.warns(SpikeletWarning, match=r"a\.so can be written by every user: built again"):
        make("models/a.so", made)
    assert len(made) == 2 and path.stat().st_mode & 0o022 == 0


def test_what_a_killed_build_left_is_cleared(folder: Path) -> None:
    """Of this machine and of processes that are gone; nothing of those that still build."""
    script = (
        "import os, pathlib, sys; from spikelet.description.cache import build_folder\n"
        "with build_folder(pathlib.Path(sys.argv[1])) as made:\n"
        "    (made / 'x.o').touch(); os._exit(9)"
    )
    (folder / "models").mkdir(parents=True, mode=0o700)
    folder.chmod(0o700)
    subprocess.run([sys.executable, "-c", script, str(folder / "models")], check=False)
    (left,) = (folder / "models").iterdir()
    with build_folder(folder / "models") as mine:
        assert not left.exists()
        make("models/a.so", [])
        assert mine.exists()
    assert [path.name for path in (folder / "models").iterdir()] == ["a.so"]


def test_processes_that_want_the_same_file_build_it_once(folder: Path) -> None:
    script = """
import sys, time
from pathlib import Path
from spikelet.description.cache import cached

def build(here):
    with open(sys.argv[1], "a") as noted:
        noted.write("built\\n")
    time.sleep(1)
    (here / "out").write_bytes(b"contents")
    return here / "out"

Path(sys.argv[1] + f".{sys.argv[2]}").touch()
while len(list(Path(sys.argv[1]).parent.glob("noted.*"))) < 3:
    time.sleep(0.01)
print(cached("models/a.so", build).read_bytes()[:8].decode())
"""
    command = [sys.executable, "-c", script, str(folder.parent / "noted")]
    running = [
        subprocess.Popen([*command, str(number)], stdout=subprocess.PIPE, text=True)
        for number in range(3)
    ]
    assert [process.communicate(timeout=60)[0] for process in running] == ["contents\n"] * 3
    assert (folder.parent / "noted").read_text() == "built\n"
    assert [path.name for path in (folder / "models").iterdir()] == ["a.so"]


def test_a_build_that_fails_leaves_nothing(folder: Path) -> None:
    def build(here: Path) -> Path:
        (here / "half").touch()
        raise SpikeletError("the compiler says no")

    with pytest.raises(SpikeletError, match="says no"):
        cached("models/a.so", build)
    with pytest.raises(SpikeletError, match=r"a\.so ended without an error and without a file"):
        cached("models/a.so", lambda here: here / "absent")
    assert not list((folder / "models").iterdir())


def test_where_the_cache_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/somebody")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    usual = Path("/home/somebody/.cache/spikelet")
    for value, expected in ((None, usual), ("", usual), ("rel", tmp_path / "rel"), ("/x", "/x")):
        monkeypatch.delenv("SPIKELET_CACHE", raising=False)
        if value is not None:
            monkeypatch.setenv("SPIKELET_CACHE", value)
        assert cache_folder() == Path(expected)
    monkeypatch.delenv("SPIKELET_CACHE")
    for value, expected in (("", usual), ("rel", usual), ("/c", "/c/spikelet")):
        monkeypatch.setenv("XDG_CACHE_HOME", value)
        assert cache_folder() == Path(expected)
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", _no_home)
    with pytest.raises(SpikeletError, match="neither SPIKELET_CACHE nor HOME") as caught:
        cache_folder()
    assert "set SPIKELET_CACHE to a writable folder" in caught.value.remedy


def _no_home() -> Path:
    raise RuntimeError("Could not determine home directory.")


@pytest.mark.parametrize(("at", "why"), [("file", "File exists"), ("/proc/x", "No such file")])
def test_a_cache_that_cannot_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str, why: str
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("SPIKELET_CACHE", str(tmp_path / at))
    with pytest.raises(SpikeletError, match=why) as caught:
        make("models/a.so", [])
    assert "set SPIKELET_CACHE to a writable folder" in caught.value.remedy


@pytest.mark.parametrize(("variable", "chosen"), [("CXX", compiler), ("CC", c_compiler)])
@pytest.mark.parametrize("value", ["clang++-99", "ccache-99 g++", "'open", "   '' "])
def test_a_compiler_that_does_not_exist_is_not_replaced(variable, chosen, value, monkeypatch):
    monkeypatch.setenv(variable, value)
    with pytest.raises(SpikeletError, match=f"{variable} is .*, and there is no such program"):
        chosen()


def test_a_compiler_with_arguments(tmp_path, monkeypatch):
    wrapper = tmp_path / "my compiler"
    wrapper.write_text('#!/bin/sh\nexec "$@"\n')
    wrapper.chmod(0o755)
    real = c_compiler()
    for value, expected in (
        (f"{shlex.quote(str(wrapper))} {real[0]} -g", (str(wrapper), *real, "-g")),
        (str(wrapper), (str(wrapper),)),  # a path with a blank, as it is
        ("", real),
        (" ", real),
    ):
        monkeypatch.setenv("CC", value)
        assert c_compiler() == expected
    monkeypatch.setenv("SPIKELET_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("CC", f"{shlex.quote(str(wrapper))} {real[0]}")
    source = tmp_path / "answer.c"
    source.write_text("int answer(void) { return 42; }")
    assert isinstance(c_library(source), ctypes.CDLL) and c_library(source).answer() == 42
    before = build_identity(c_compiler())
    wrapper.write_text('#!/bin/sh\n exec "$@"\n')
    assert build_identity(c_compiler()) != before


def test_a_library_that_the_system_refuses(tmp_path):
    (tmp_path / "a.so").write_bytes(b"no library")
    with pytest.raises(SpikeletError, match=r"cannot load .*a\.so") as caught:
        load_library(tmp_path / "a.so")
    assert "folder that allows programs" in caught.value.remedy
