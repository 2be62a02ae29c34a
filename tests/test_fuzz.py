"""No input ends in a traceback: options, TOML, sample and network files, at random and mutated.

Whatever is refused, is refused with a message; what is not, works. A few cases of each kind run by
default, thousands with ``-m slow``.
"""

import json
import re
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py  # type: ignore[import-untyped]
import nir  # type: ignore[import-untyped]
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spikelet.cli import main
from spikelet.description.errors import SpikeletWarning
from spikelet.nir.handlers import HANDLERS
from tests.helpers.event_files import (
    cochlea,
    evt21_words,
    moving_bar,
    write_csv,
    write_evt21,
    write_nmnist,
    write_shd,
)
from tests.helpers.networks import affine, integrator, lif, linear, sink, source, write

FEW, MANY = 25, 1000

TOML = """name = "bars"
dt = 1e-3
seed = 3
outputs = ["e"]

[inputs.p]
size = [2, 4]

[populations.e]
size = 4
threshold = 60
time_constant = 0.02
inhibition = 20
adaptation = {increment = 5, decay_shift = 6}

[[projections]]
source = "p"
target = "e"
weights = [20, 60]
rule = "mine"

[rules.mine]
dw = "2^-3*(x1 - 20)*y0"
w_max = 127
x1 = {increment = 200, decay = 3000}

[chip]
lanes = 2

[encoder]
kind = "poisson"
ticks = 5
"""

VALUES = st.one_of(
    st.integers(),
    st.integers(-2, 5),
    st.sampled_from([10**12, 2**31, 2**63, 2**64, -(2**63), 4096, 4097]),
    st.floats(),
    st.booleans(),
    st.text(max_size=8),
    st.sampled_from(["p", "e", "mine", "pair_stdp", "rate", "x1*y0", "dw = 2^99999999*x1*y0"]),
    st.lists(st.integers(-3, 300), max_size=5),
    st.lists(st.lists(st.integers(0, 3), max_size=4), max_size=4),
    st.dictionaries(
        st.sampled_from(["increment", "decay", "mode", "a"]), st.integers(), max_size=3
    ),
)


def run(*arguments: object) -> tuple[int, str]:
    """Run the command line; whatever is not a message fails."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SpikeletWarning)
        result = CliRunner().invoke(main, [str(a) for a in arguments], catch_exceptions=False)
    text = " ".join(map(str, arguments))
    assert result.exit_code in (0, 1, 2), f"{text}: {result.exit_code}: {result.output}"
    assert "Traceback" not in result.output and "internal error" not in result.output
    if result.exit_code:
        assert re.search(r"spikelet: |Error: ", result.output), f"{text}: {result.output}"
    return result.exit_code, result.output


def fuzz(test: Callable[..., None]) -> Callable[..., None]:
    """Run a test of hypothesis on a few cases, and a slow copy of it on many."""
    common: dict[str, Any] = {
        "deadline": None,
        "suppress_health_check": list(HealthCheck),
        "database": None,
    }
    few = settings(max_examples=FEW, derandomize=True, **common)
    many = settings(max_examples=MANY, **common)

    @pytest.mark.parametrize(
        "cases",
        [few, pytest.param(many, marks=[pytest.mark.slow, pytest.mark.timeout(7200)])],
        ids=["few", "many"],
    )
    def both(cases: settings, made: Path) -> None:
        cases(given(data=st.data())(lambda data: test(made, data)))()

    both.__name__ = test.__name__
    both.__doc__ = test.__doc__
    return both


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Write one good file of each kind, and a compiled project.

    What follows when all input is accepted, Verilog and pictures, is left out: it takes seconds.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("spikelet.targets.write_chip", lambda *_, **__: "")
        patch.setattr("spikelet.project_report.write_report", lambda folder, **_: folder)
        patch.chdir(tmp_path_factory.mktemp("here"))  # where an option's value may be a file
        yield _made(tmp_path_factory)


def _made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fuzz")
    (folder / "n.toml").write_text(TOML)
    rng = np.random.default_rng(0)
    spikes = rng.random((3, 6, 4)) < 0.5
    np.savez(folder / "s.npz", spikes=spikes, labels=[0, 1, 1])
    np.savez(folder / "l.npz", levels=rng.integers(0, 9, (2, 8)), full_scale=8, labels=[0, 1])
    bar = moving_bar(0, 1, events=60)
    write_nmnist(folder / "e.bin", bar)
    write_csv(folder / "e.csv", bar)
    write_evt21(folder / "e.raw", evt21_words(bar))
    np.save(folder / "e.npy", bar)
    np.savez(folder / "e.npz", bar)
    write_shd(folder / "e.h5", [cochlea(0, 0), cochlea(1, 1)], [0, 1])
    nodes = {
        "in": source(4),
        "fc": affine(3, 4, 1),
        "a": lif(3),
        "fc2": linear(2, 3, 2),
        "b": lif(2),
        "out": sink(2),
    }
    write(folder / "n.nir", nodes)
    _write_further_kinds(folder / "k.nir")
    assert run("compile", folder / "k.nir", "-o", folder / "k", *NEURON)[0] == 0
    assert run("compile", folder / "n.nir", "-o", folder / "b", *NEURON)[0] == 0
    assert run("run", folder / "b", folder / "s.npz")[0] == 0
    assert run("learn", folder / "n.toml", folder / "l.npz", "-o", folder / "learned")[0] == 0
    return folder


NETWORKS = ("n.nir", "k.nir")

NEURON = ("--neuron", "nir-euler", "--dt", "1e-3")


def _write_further_kinds(path: Path) -> None:
    """Two inputs, convolutions, pools, delays, a loop, and outputs that are read."""
    nodes: dict[str, Any] = {
        **{"in": source(1, 4, 4), "line": source(1, 5), "fc": linear(2, 8, 1), "fc1": linear(2, 4)},
        "conv": nir.Conv2d((4, 4), np.ones((2, 1, 3, 3)), 1, "same", 1, 1, np.zeros(2)),
        "conv1": nir.Conv1d(5, np.ones((1, 1, 2)), 1, 0, 1, 1, np.zeros(1)),
        **{"a": integrator(32), "sum": nir.SumPool2d(2, 1, 0), "mean": nir.AvgPool2d(2, 1, 0)},
        **{
            "flat": nir.Flatten({"input": np.array([2, 2, 2])}, 0),
            "late": nir.Delay(np.full(8, 2e-3)),
        },
        **{
            "step": nir.Threshold(np.ones(2)),
            "again": nir.Delay(np.full(2, 1e-3)),
            "back": linear(2, 2, 2),
        },
        **{
            "i": nir.I(np.ones(2)),
            "li": nir.LI(*np.full((3, 2), 2e-3)),
            "c": nir.CubaLI(*np.full((5, 2), 2e-3)),
        },
        **{"o1": sink(2), "o2": sink(2), "o3": sink(2), "o4": sink(2)},
    }
    edges = [("in", "conv"), ("conv", "a"), ("a", "sum"), ("sum", "mean"), ("mean", "flat")]
    edges += [("flat", "late"), ("late", "fc"), ("fc", "step"), ("line", "conv1"), ("conv1", "fc1")]
    edges += [("fc1", "step"), ("step", "again"), ("again", "back"), ("back", "step")]
    edges += [("step", "i"), ("i", "o1"), ("step", "li"), ("li", "o2"), ("step", "c"), ("c", "o3")]
    nodes |= {"flat2": nir.Flatten({"input": np.array([2, 4, 4])}, 0), "fc2": linear(2, 32, 3)}
    write(path, nodes, [*edges, ("a", "flat2"), ("flat2", "fc2"), ("fc2", "o4")])


def mutated(data: st.DataObject, content: bytes) -> bytes:
    """Return a file's bytes with some changed, cut, doubled, or added."""
    found = bytearray(content)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, max(0, len(found) - 1)))
        kind = data.draw(st.sampled_from(["flip", "cut", "drop", "double", "insert", "word"]))
        length = data.draw(st.integers(1, 64))
        if kind == "cut":
            del found[at:]
        elif kind == "drop":
            del found[at : at + length]
        elif kind == "double":
            found[at:at] = found[at : at + length]
        elif kind == "insert":
            found[at:at] = data.draw(st.binary(min_size=1, max_size=8))
        elif kind == "word":
            found[at : at + 8] = data.draw(st.sampled_from([b"\xff" * 8, b"\0" * 8, b"\x7f" * 8]))
        elif found:
            found[at] ^= 1 << data.draw(st.integers(0, 7))
    return bytes(found)


@fuzz
def test_options(made: Path, data: st.DataObject) -> None:
    """Any value, and none, for every option of the commands that take files."""
    number = st.one_of(st.integers(), st.integers(-2, 40), st.sampled_from([0, 10**12, 2**63]))
    value = st.one_of(number, st.floats(), st.text(st.characters(codec="utf-8"), max_size=6))
    command = data.draw(st.sampled_from(["compile", "run", "learn"]))
    files = {
        "compile": (made / "n.nir", "-o", made / "c", *NEURON),
        "run": (made / "b", made / "s.npz", "--recording", made / "t.npz"),
        "learn": (made / "n.toml", made / "l.npz", "-o", made / "learned"),
    }[command]
    options = [
        option.opts[-1]
        for option in main.commands[command].params
        if option.opts[-1].startswith("--") and option.opts[-1] not in ("--out", "--folder")
    ]
    chosen = data.draw(st.lists(st.sampled_from(options), min_size=1, max_size=3, unique=True))
    given_values = [str(data.draw(value)).replace("\0", "") for _ in chosen]
    if "--epochs" in chosen and given_values[chosen.index("--epochs")].isdigit():
        given_values[chosen.index("--epochs")] = "2"  # which may be as large as one likes
    if "--verify" in chosen and given_values[chosen.index("--verify")].isdigit():
        given_values[chosen.index("--verify")] = "0"  # else the RTL is compiled
    if "--engine" in chosen:
        given_values[chosen.index("--engine")] = data.draw(st.sampled_from(["golden", "x", ""]))
    run(command, *files, *(f"{o}={v}" for o, v in zip(chosen, given_values, strict=True)))


@fuzz
def test_bytes_of_files(made: Path, data: st.DataObject) -> None:
    """Good files with some bytes changed, behind every command that reads them."""
    name = data.draw(st.sampled_from(["n.toml", *NETWORKS, "s.npz", "l.npz", "chip.json", "snap"]))
    places = {
        "chip.json": made / "b" / "compiled" / "chip.json",
        "snap": made / "learned" / "learned" / "snapshot.npz",
    }
    content = places.get(name, made / name).read_bytes()
    bad = made / f"bad-{name}"
    bad.write_bytes(mutated(data, content))
    if name == "n.toml":
        run("learn", bad, made / "l.npz", "-o", made / "x")
    elif name in NETWORKS:
        run("compile", bad, "-o", made / "c", *NEURON)
    elif name == "l.npz":
        run("learn", made / "n.toml", bad, "-o", made / "x")
    elif name == "snap":
        run("learn", made / "n.toml", made / "l.npz", "-o", made / "x", "--start", bad)
    elif name == "s.npz":
        run("run", made / "b", bad, "--recording", made / "t.npz")
        run("compile", made / "n.nir", "-o", made / "c", *NEURON, "--calibration", bad)
    else:
        original = places[name].read_bytes()
        try:
            places[name].write_bytes(bad.read_bytes())
            run("run", made / "b", made / "s.npz", "--recording", made / "t.npz")
        finally:
            places[name].write_bytes(original)


def toml_value(value: Any) -> str:
    """Return a value as TOML."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k} = {toml_value(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml_value, value)) + "]"
    return str(value) if isinstance(value, int) else json.dumps(value)


@fuzz
def test_values_of_toml(made: Path, data: st.DataObject) -> None:
    """Any value for any key, keys that are missing, doubled, or of another table."""
    lines = TOML.splitlines()
    for _ in range(data.draw(st.integers(1, 2))):
        keys = [i for i, line in enumerate(lines) if "=" in line]
        at = data.draw(st.sampled_from(keys))
        what = data.draw(st.sampled_from(["value", "value", "value", "drop", "move", "name"]))
        if what == "value":
            lines[at] = f"{lines[at].split('=')[0]}= {toml_value(data.draw(VALUES))}"
        elif what == "drop":
            del lines[at]
        elif what == "move":
            lines.insert(data.draw(st.integers(0, len(lines))), lines[at])
        else:
            other = lines[data.draw(st.sampled_from(keys))].split("=")[0]
            lines[at] = f"{other}={lines[at].split('=', 1)[1]}"
    (made / "values.toml").write_text("\n".join(lines))
    run("learn", made / "values.toml", made / "l.npz", "-o", made / "x")


ARRAYS = st.one_of(
    st.builds(
        lambda shape, dtype, seed: np.random.default_rng(seed).integers(-1, 3, shape).astype(dtype),
        st.lists(st.integers(0, 5), max_size=4).map(tuple),
        st.sampled_from(
            ["?", "u1", ">i2", "i8", "u8", "f2", ">f8", "c8", "S3", "U2", "M8[s]", "m8[s]", "V4"]
        ),
        st.integers(0, 9),
    ),
    st.sampled_from([np.nan, -np.inf, 2**63, -1, 10**12, 1e300]).map(np.array),
    st.sampled_from([[("x", "i4"), ("t", "i8")], "O"]).map(lambda kind: np.zeros(3, kind)),
)


@fuzz
def test_values_of_samples(made: Path, data: st.DataObject) -> None:
    """Arrays of any shape and number format under the names that samples files have."""
    names = ["spikes", "levels", "labels", "full_scale", "ticks", "reward", "test_spikes", "x"]
    names.append("lengths")
    arrays: dict[str, Any] = {"spikes": np.ones((3, 6, 4)), "labels": np.arange(3)}
    if data.draw(st.booleans()):
        arrays = {"levels": np.ones((3, 8), int), "full_scale": 8, "ticks": 3}
    for name in data.draw(st.lists(st.sampled_from(names), min_size=1, max_size=3)):
        arrays[name] = data.draw(ARRAYS)
    np.savez(made / "values.npz", **arrays, allow_pickle=True)
    run("run", made / "b", made / "values.npz", "--recording", made / "t.npz")
    run("learn", made / "n.toml", made / "values.npz", "-o", made / "x")
    run("data", made / "values.npz", "--merge-counts", "--time-first", "-o", made / "new.npz")


EVENT_FILES = ("e.bin", "e.csv", "e.npy", "e.npz", "e.h5", "e.raw")


@fuzz
def test_bytes_of_event_files(made: Path, data: st.DataObject) -> None:
    """Good event files with some bytes changed: refused, or samples that a network runs."""
    name = data.draw(st.sampled_from(EVENT_FILES))
    bad, out = made / f"bad-{name}", made / "binned.npz"
    bad.write_bytes(mutated(data, (made / name).read_bytes()))
    run("data", bad)
    options = ("--sensor", "700" if name == "e.h5" else "34x34", "--bin", "10ms", "--ticks", "9")
    out.unlink(missing_ok=True)
    status, _ = run("data", bad, *options, "--downsample", 17, "--polarity", "merged", "-o", out)
    assert out.exists() == (status == 0)
    if status == 0 and name != "e.h5":  # 2 x 2 inputs, as the network has
        assert run("run", made / "b", out, "--recording", made / "t.npz")[0] == 0


@fuzz
def test_options_of_data(made: Path, data: st.DataObject) -> None:
    """Any value, and none, for the options of events."""
    number = st.one_of(st.integers(), st.integers(-2, 40), st.sampled_from([0, 10**12, 2**63]))
    size = st.tuples(number, number).map(lambda pair: f"{pair[0]}x{pair[1]}")
    time = st.tuples(number, st.sampled_from(["us", "ms", "s", "h", ""])).map(
        lambda pair: f"{pair[0]}{pair[1]}"
    )
    region = st.tuples(number, number, size).map(lambda parts: ",".join(map(str, parts)))
    words = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6)
    values = {
        **{"--bin": time, "--start": time, "--sensor": size, "--region": region},
        **dict.fromkeys(("--ticks", "--downsample", "--count", "--sample"), number),
        **dict.fromkeys(("--polarity", "--columns", "--time-unit"), words),
    }
    chosen = data.draw(
        st.lists(st.sampled_from(sorted(values)), min_size=1, max_size=4, unique=True)
    )
    flags = data.draw(st.lists(st.sampled_from(["--cut", "--lengths"]), max_size=2, unique=True))
    options = [f"{name}={data.draw(st.one_of(values[name], words))}" for name in chosen]
    name = data.draw(st.sampled_from(EVENT_FILES))
    run("data", made / name, *options, *flags)


@fuzz
def test_values_of_networks(made: Path, data: st.DataObject) -> None:
    """Fields of nodes of any shape and number format, other types, edges and metadata."""
    (made / "values.nir").write_bytes((made / data.draw(st.sampled_from(NETWORKS))).read_bytes())
    with h5py.File(made / "values.nir", "a") as file:
        nodes = file["node/nodes"]
        for _ in range(data.draw(st.integers(1, 2))):
            node = nodes[data.draw(st.sampled_from(sorted(nodes)))]
            field = data.draw(st.sampled_from([*sorted(node), "v_reset", "bias", "input_type"]))
            what = data.draw(st.sampled_from(["values", "values", "drop", "kind", "edges", "meta"]))
            if what == "kind":
                node.pop("type", None)
                node["type"] = data.draw(
                    st.sampled_from([*(handler.kind for handler in HANDLERS), "NIRGraph", "", "Q"])
                )
            elif what == "edges":
                del file["node/edges"]
                name = st.sampled_from([*sorted(nodes), "?"])
                edges = data.draw(st.lists(st.tuples(name, name), max_size=8))
                file["node/edges"] = np.array(edges or [[]], h5py.string_dtype())
            else:
                place = node if what != "meta" else file["node"].require_group("metadata")
                field = "dt" if what == "meta" else field
                place.pop(field, None)
                values = data.draw(ARRAYS)
                if what != "drop" and values.dtype.kind in "biufcS":
                    place[field] = values
    run("compile", made / "values.nir", "-o", made / "c", "--neuron", "nir-euler")
    run("compile", made / "values.nir", "-o", made / "c", *NEURON)
