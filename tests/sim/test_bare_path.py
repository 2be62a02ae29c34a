"""Benches build where there is no command ``python``, as on a stock Debian."""

import os
import shutil
from pathlib import Path

import pytest

from spikelet.description.toolchain import compiler
from spikelet.sim.run import build

VERILOG = """module wire_through(a, b);
  input a;
  output b;
  assign b = a;
endmodule
"""


@pytest.mark.slow
def test_a_bench_is_built_without_a_command_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    for folder in ("/usr/bin", "/bin"):
        for program in filter(os.path.isfile, Path(folder).iterdir()):
            if "python" not in program.name and not (programs / program.name).exists():
                (programs / program.name).symlink_to(program)
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setenv("SPIKELET_CACHE", str(tmp_path / "cache"))
    assert shutil.which("python") is None and shutil.which("python3") is None
    assert compiler()
    built = build(VERILOG, "wire_through")
    assert (built.folder / built.top).is_file()
