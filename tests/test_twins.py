"""Golden and gates are twins: file for file, and a bench holds each component to its model."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OTHER = {"rtl_gen": "golden", "golden": "rtl_gen"}
MODULES = sorted(
    path.relative_to(ROOT)
    for folder in OTHER
    for path in (ROOT / folder).rglob("*.py")
    if path.name != "__init__.py"
)
BENCHES = sorted((ROOT / "sim").glob("bench_*.py"))

_NO_TWIN = re.compile(r"No twin(?: in \w+)?(?:[:,] \S+ \w+)")
_NO_BENCH = re.compile(r"No bench of its own: .*?``sim/(bench_\w+)\.py`` \w+ \w+")


@cache
def tree(module: Path) -> ast.Module:
    return ast.parse((ROOT / module).read_text())


def words(text: str | None) -> str:
    """Return a docstring as one line."""
    return " ".join((text or "").split())


def is_component(node: ast.AST) -> bool:
    return isinstance(node, ast.ClassDef) and any(
        ast.unparse(base) in ("wiring.Component", "Component") for base in node.bases
    )


COMPONENTS = [
    pytest.param(module, node, id=f"{module.stem}-{node.name}")
    for module in MODULES
    if module.parts[0] == "rtl_gen"
    for node in tree(module).body
    if is_component(node)
]


def gates(module: Path) -> set[Path]:
    """Return the modules of rtl_gen that a file imports, directly or not."""
    found: set[Path] = set()
    left = [module]
    while left:
        for node in ast.walk(tree(left.pop())):
            name = node.module or "" if isinstance(node, ast.ImportFrom) else ""
            path = name.removeprefix("spikelet.rtl_gen.").replace(".", "/")
            imported = Path("rtl_gen", f"{path}.py")
            if name.startswith("spikelet.rtl_gen.") and imported not in found:
                found.add(imported)
                left.append(imported)
    return found


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_a_file_names_its_twin_or_says_why_it_has_none(module: Path) -> None:
    other = OTHER[module.parts[0]]
    twin = Path(other, *module.parts[1:])
    docstring = words(ast.get_docstring(tree(module)))
    if (ROOT / twin).exists():
        assert f"Twin of ``{twin}``" in docstring
        assert "No twin" not in docstring
        return
    assert "No twin" in docstring, f"{module} has no twin in {other} and does not say so"
    if any(is_component(node) for node in tree(module).body):
        assert _NO_TWIN.search(docstring), f"{module} does not say why it has no twin"


@pytest.mark.parametrize(("module", "component"), COMPONENTS)
def test_a_component_has_a_bench_or_says_why_not(module: Path, component: ast.ClassDef) -> None:
    """Its own bench is named after its module, and a test builds it for that."""
    told = _NO_BENCH.search(words(ast.get_docstring(component)))
    bench = told[1] if told else f"bench_{module.stem}"
    test = Path("tests/cosim", f"test_{bench.removeprefix('bench_')}.py")
    assert (ROOT / "sim" / f"{bench}.py").exists(), (
        f"{module}: {component.name} has no sim/{bench}.py, and no line "
        "'No bench of its own: ...' that names another"
    )
    assert (ROOT / test).exists(), f"nothing runs {bench}"
    if told:
        assert module in gates(test), f"{test} builds nothing that holds {component.name}"
    else:
        names = {node.id for node in ast.walk(tree(test)) if isinstance(node, ast.Name)}
        built = component.name in names or f"whole_{module.stem}" in names
        assert built, f"{test} does not build {component.name}"


@pytest.mark.parametrize("bench", BENCHES, ids=lambda path: path.stem)
def test_a_bench_compares_and_is_run(bench: Path) -> None:
    """It has cocotb tests, and something names it."""
    tests = [
        node
        for node in ast.walk(ast.parse(bench.read_text()))
        if isinstance(node, ast.AsyncFunctionDef)
        and any("cocotb.test" in ast.unparse(mark) for mark in node.decorator_list)
    ]
    assert tests, f"{bench.name} holds no test"
    if (ROOT / "tests" / "cosim" / f"test_{bench.stem.removeprefix('bench_')}.py").exists():
        return
    users = [*(ROOT / "tests").rglob("*.py"), *(ROOT / "sim").glob("*.py")]
    assert any(f"sim.{bench.stem}" in path.read_text() for path in users if path != bench)


def test_a_missing_bench_would_be_noticed() -> None:
    parsed = ast.parse("class Thing(wiring.Component):\n    '''A thing.'''\n").body[0]
    assert is_component(parsed)
    with pytest.raises(AssertionError, match=r"Thing has no sim/bench_thing\.py"):
        test_a_component_has_a_bench_or_says_why_not(Path("rtl_gen/thing.py"), parsed)
    parsed = ast.parse(
        "class Thing(wiring.Component):\n"
        "    '''A thing.\n\n    No bench of its own: ``sim/bench_lfsr.py`` runs it.'''\n"
    ).body[0]
    with pytest.raises(AssertionError, match=r"test_lfsr\.py builds nothing that holds Thing"):
        test_a_component_has_a_bench_or_says_why_not(Path("rtl_gen/thing.py"), parsed)
    assert len(COMPONENTS) > 20
