"""Who may import whom, and what modules promise: the table of docs/architecture.md, enforced."""

import ast
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

GROUND = ("spikelet.description",)
ROOM = tuple(f"spikelet.{name}" for name in ("golden", "rtl_gen", "host", "sim", "fpga", "boards"))
FRONT = ("click", "rich", "h5py", "numpy", "matplotlib", "jinja2", "filelock")

ROOF = tuple(
    f"spikelet.{name}"
    for name in (
        *("cli", "results", "command_group", "terminal", "doctor", "project", "guidance"),
        *("reports", "runs", "compiler", "nir", "network", "samples", "placement", "locked"),
    )
)
"""Modules and folders of ``spikelet/``, which import from each other."""

ALLOWED: dict[str, tuple[str, ...]] = {
    "description": (*GROUND, "numpy"),
    "golden": (*GROUND, "spikelet.golden", "numpy"),
    "rtl_gen": (*GROUND, "spikelet.rtl_gen", "amaranth"),
    "boards": (*GROUND, "spikelet.boards", "amaranth", "amaranth_boards"),
    "fpga": (
        *(*GROUND, "spikelet.fpga", "spikelet.rtl_gen", "spikelet.boards", "amaranth", "numpy"),
    ),
    "host": (*GROUND, "spikelet.host", "numpy"),
    "sim": (*GROUND, "spikelet.host", "spikelet.sim", "numpy"),
    "formal": (*GROUND, "spikelet.formal", "spikelet.golden", "spikelet.rtl_gen", "amaranth"),
    "spikelet/__init__.py": (),  # its names are loaded when they are used
    "spikelet/placement": (
        *(*GROUND, "spikelet.placement", "numpy", "scipy", "pymetis", "matplotlib"),
    ),
    "spikelet": (*GROUND, *ROOM, *ROOF, "spikelet.__version__", *FRONT),
}
"""What the modules of a folder, or one module, may import besides the standard library."""

BENCHES = ("cocotb", "cocotb_tools")
"""Also for the modules of ``sim`` that stand on cocotb, which comes with the tests only."""

COCOTB_FREE = ("__init__", "engine", "model", "model_library")
VERILATED = tuple(
    f"sim/{name}.py" for name in (*COCOTB_FREE, "verilated_cpp", "verilated_link", "verilator")
)
"""Modules of ``sim`` that stand below the roof: they work without cocotb."""

MODULES = sorted(
    path.relative_to(ROOT)
    for folder in ALLOWED
    if not folder.endswith(".py") and "/" not in folder
    for path in (ROOT / folder).rglob("*.py")
)


def allowed(module: Path) -> tuple[str, ...]:
    """Return what a module may import."""
    places = [module.as_posix(), *(parent.as_posix() for parent in module.parents)]
    legal = next(ALLOWED[place] for place in places if place in ALLOWED)
    if module.parts[0] == "sim" and module.as_posix() not in VERILATED:
        legal += BENCHES
    if module.as_posix().startswith("sim/bench_"):
        legal += ("spikelet.golden",)
    return legal


def imports(module: Path) -> Iterator[tuple[str, int]]:
    """Return each imported name with its line, wherever in the module it stands."""
    for node in ast.walk(ast.parse((ROOT / module).read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module}:{node.lineno}: a relative import"
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def dotted(module: Path) -> str:
    """Return a module's dotted name."""
    name = ".".join(module.with_suffix("").parts).removesuffix(".__init__")
    return name if module.parts[0] == "spikelet" else f"spikelet.{name}"


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_a_module_imports_only_what_its_folder_may(module: Path) -> None:
    legal = allowed(module)
    for name, line in imports(module):
        known = name.split(".")[0] in sys.stdlib_module_names
        permitted = any(name == place or name.startswith(f"{place}.") for place in legal)
        assert known or permitted, f"{module}:{line}: may not import {name}"


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_every_name_in_all_exists_once(module: Path) -> None:
    loaded = import_module(dotted(module))
    names = list(getattr(loaded, "__all__", ()))
    assert len(set(names)) == len(names)
    for name in names:
        assert hasattr(loaded, name), f"{module}: __all__ names {name}, which does not exist"
