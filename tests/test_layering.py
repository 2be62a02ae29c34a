"""Who may import whom, and what modules promise: the table of docs/architecture.md, enforced."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

GROUND = ("spikelet.description",)
ROOM = tuple(
    f"spikelet.{name}" for name in ("golden", "rtl_gen", "host", "sim", "fpga", "boards", "asic")
)
FRONT = (
    *("click", "rich", "h5py", "numpy", "matplotlib", "jinja2", "filelock", "faery", "optuna"),
    "distributed",
)

ORDER = (
    (
        "__main__",
        "cli",
        "commands",
        "check_table",
        "demo",
        "results",
        "data_summary",
        "guidance",
        "command_group",
        "terminal",
        "doctor",
    ),
    ("verbs", "project"),
    ("project_asic", "project_learning", "project_records", "project_report"),
    ("programming",),
    ("conversion", "tuning", "sweeps", "support"),
    ("targets",),
    ("images",),
    ("reports",),
    ("measures",),
    ("runs",),
    ("compiler",),
    ("frameworks",),
    ("nir",),
    ("network",),
    ("event_data",),
    ("samples",),
    ("placement",),
    ("locked",),
)
"""Modules and folders of ``spikelet/``; each imports from its own line and those below."""

ROOF = tuple(f"spikelet.{name}" for line in ORDER for name in line)

WITH_TORCH = ("spikelet/frameworks/tensors.py", "spikelet/frameworks/trace.py")
"""Modules that run those of frameworks; PyTorch is not installed with the tests."""

ALLOWED: dict[str, tuple[str, ...]] = {
    "description": (*GROUND, "numpy"),
    "golden": (*GROUND, "spikelet.golden", "numpy"),
    "rtl_gen": (*GROUND, "spikelet.rtl_gen", "amaranth"),
    "asic": (*GROUND, "spikelet.asic", "spikelet.rtl_gen"),
    "boards": (*GROUND, "spikelet.boards", "amaranth", "amaranth_boards"),
    "fpga": (
        *(*GROUND, "spikelet.fpga", "spikelet.rtl_gen", "spikelet.boards", "amaranth", "numpy"),
    ),
    "host": (*GROUND, "spikelet.host", "numpy", "serial", "pyftdi"),
    "sim": (*GROUND, "spikelet.host", "spikelet.sim", "numpy"),
    "formal": (*GROUND, "spikelet.formal", "spikelet.golden", "spikelet.rtl_gen", "amaranth"),
    "spikelet/__init__.py": (),  # its names are loaded when they are used
    "spikelet/placement": (
        *(*GROUND, "spikelet.placement", "numpy", "scipy", "pymetis", "matplotlib"),
    ),
    "spikelet/network/matrices.py": (*GROUND, "numpy", "scipy"),
    "spikelet/conversion": (*GROUND, *ROOM, *ROOF, *FRONT, "scipy", "onnx"),
    **dict.fromkeys(WITH_TORCH, (*GROUND, *ROOF, "numpy", "torch")),
    "spikelet": (*GROUND, *ROOM, *ROOF, "spikelet.__version__", *FRONT),
}
"""What the modules of a folder, or one module, may import besides the standard library."""

BENCHES = ("cocotb", "cocotb_tools", "cocotbext")
"""Also for the modules of ``sim`` that stand on cocotb, which comes with the tests only."""

COCOTB_FREE = ("__init__", "engine", "model", "model_library")
VERILATED = tuple(
    f"sim/{name}.py" for name in (*COCOTB_FREE, "verilated_cpp", "verilated_link", "verilator")
)
"""Modules of ``sim`` that stand below the roof: they work without cocotb."""

LAZY = ("spikelet/__init__.py",)
"""Modules whose imports follow from names that are used."""

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


def imported_files(module: Path) -> Iterator[tuple[Path, int]]:
    """Return the files of the tree that a module imports, with the line."""
    for name, line in imports(module):
        parts = name.split(".")
        if parts[0] != "spikelet" or len(parts) == 1:
            continue
        top = Path() if (ROOT / parts[1]).is_dir() else Path("spikelet")
        for end in range(len(parts), 1, -1):
            place = top.joinpath(*parts[1:end])
            for file in (place.with_suffix(".py"), place / "__init__.py"):
                if (ROOT / file).is_file():
                    yield file, line
                    break
            else:
                continue
            break


def test_no_two_files_import_each_other() -> None:
    """Neither directly nor round about."""
    graph = {module: {file for file, _ in imported_files(module)} for module in MODULES}
    assert sum(map(len, graph.values())) > 500, "imports are not found"
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(f"a cycle: {' -> '.join(map(str, error.args[1]))}")


@pytest.mark.parametrize("module", [m for m in MODULES if m.parts[0] == "spikelet"], ids=str)
def test_nothing_in_spikelet_imports_upwards(module: Path) -> None:
    rank = {name: index for index, line in enumerate(ORDER) for name in line}
    if module.name == "__init__.py" and len(module.parts) == 2:
        return  # its names are loaded when they are used
    mine = rank[module.parts[1].removesuffix(".py")]
    for file, line in imported_files(module):
        if file.parts[0] == "spikelet" and len(file.parts) > 1:
            name = file.parts[1].removesuffix(".py")
            assert name == "__init__" or rank[name] >= mine, f"{module}:{line}: imports {file}"


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_no_arrow_is_hidden(module: Path) -> None:
    """What an import says is what is there: no name that is found when it is used."""
    text = (ROOT / module).read_text()
    hidden = {"TYPE_CHECKING", "import_module", "__import__"} & set(re.findall(r"\w+", text))
    assert not hidden or module.as_posix() in LAZY, f"{module} has {', '.join(hidden)}"


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_every_name_in_all_exists_once(module: Path) -> None:
    names, there = named_in(module)
    assert len(set(names)) == len(names)
    for name in names:
        assert name in there, f"{module}: __all__ names {name}, which does not exist"


def named_in(module: Path) -> tuple[list[str], list[str]]:
    """Return the names in a module's ``__all__``, and those that are there."""
    if module.as_posix() not in WITH_TORCH:
        loaded = import_module(dotted(module))
        names = list(getattr(loaded, "__all__", ()))
        return names, [name for name in names if hasattr(loaded, name)]
    tree = ast.parse((ROOT / module).read_text())
    kinds = (ast.ClassDef, ast.FunctionDef)
    (said,) = (
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    )
    return said, [node.name for node in tree.body if isinstance(node, kinds)]


def test_importing_spikelet_imports_no_framework() -> None:
    """Nor does the module of the calls, before one of them is used."""
    code = (
        "import sys, spikelet, spikelet.cli, spikelet.project; spikelet.from_snntorch;"
        "names = {'torch', 'snntorch', 'norse', 'spikingjelly', 'sinabs', 'spyx', 'rockpool'};"
        "print(*names & set(sys.modules))"
    )
    command = [sys.executable, "-c", code]
    printed = subprocess.run(command, check=True, cwd=ROOT, capture_output=True, text=True).stdout
    assert not printed.strip()
