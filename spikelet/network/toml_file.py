"""Plastic networks as TOML files, in the words of the Python interface.

``docs/plastic-networks.md`` lists tables and keys. Every message names the file, the table and the
key, the value, and what is valid.
"""

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from spikelet.description.array_files import read_array
from spikelet.description.errors import SpikeletError
from spikelet.description.learning.device_model import device_model
from spikelet.description.learning.devices import Devices
from spikelet.description.learning.named_rules import RULES
from spikelet.description.learning.rule import LearningRule, TraceParams
from spikelet.description.learning.short_term import ShortTermPlasticity
from spikelet.description.learning.text import TRACES
from spikelet.description.learning.variability import Variability
from spikelet.description.neurons.adaptation import Adaptation
from spikelet.description.neurons.error import ErrorParams
from spikelet.description.summary import summary
from spikelet.network.builder import PlasticNetwork
from spikelet.network.integers import IntegerNetwork
from spikelet.network.limits import PlacementLimits
from spikelet.network.toml_text import read_toml
from spikelet.samples.encode import ENCODERS
from spikelet.samples.plastic_samples import Encoder

__all__ = ["NetworkFile", "load_rule", "load_toml", "rules_of_layers"]

_TOP = (
    "name",
    "dt",
    "seed",
    "preset",
    "inputs",
    "populations",
    "projections",
    "winner_take_all",
    "rules",
    "devices",
    "outputs",
    "chip",
    "encoder",
)


@dataclass(frozen=True, eq=False)
class NetworkFile:
    """What a TOML file describes.

    Parameters
    ----------
    network : IntegerNetwork
    limits : PlacementLimits
        Of its cores.
    path : Path
        The file.
    """

    __repr__ = summary

    network: IntegerNetwork
    limits: PlacementLimits
    path: Path


def load_toml(
    path: str | Path, seed: int | None = None, preset: str | Path | None = None
) -> NetworkFile:
    """Read a network from a TOML file.

    Parameters
    ----------
    path : path
    seed : int or None
        In the place of the file's.
    preset : str, Path or None
        The same.

    Raises
    ------
    SpikeletError
        For a file that is missing or is not TOML, and for a table, key or value that is not valid,
        by name.
    """
    path = Path(path)
    return _Reader(path, read_toml(path), seed, preset).file()


def load_rule(path: str | Path) -> LearningRule:
    """Read a learning rule from a TOML file with the keys of a ``[rules.NAME]`` table.

    SpikeletError as for :func:`load_toml`.
    """
    path = Path(path)
    return _rule_of(_Table(path, "", read_toml(path)), path.stem)


def rules_of_layers(options: Sequence[str]) -> dict[str, LearningRule]:
    """Return the rules of layers from texts LAYER=RULE.toml; SpikeletError for another text."""
    found = {}
    for option in options:
        layer, _, path = option.partition("=")
        if not layer or not path:
            raise SpikeletError(f"--plastic must be LAYER=RULE.toml, not {option!r}")
        found[layer] = load_rule(path)
    return found


@dataclass(frozen=True)
class _Table:
    """A table of the file; ``place`` is how messages name it, empty at the top level."""

    path: Path
    place: str
    data: dict[str, Any] = field(repr=False)

    def error(self, message: str, remedy: str = "") -> SpikeletError:
        place = f"{self.place}: " if self.place else ""
        return SpikeletError(f"{self.path}: {place}{message}", remedy=remedy)

    def table(self, key: str, place: str = "") -> "_Table":
        """Return the table under ``key``, empty if there is none."""
        found = self.data.get(key, {})
        if not isinstance(found, dict):
            raise self.error(f"{key} must be a table, not {found!r}")
        return _Table(self.path, place or f"[{key}]", found)

    def tables(self, key: str) -> "list[_Table]":
        """Return the tables under ``key``, each with its name as place."""
        parent = self.table(key)
        return [parent.table(name, f"[{key}.{name}]") for name in parent.data]

    def array(self, key: str) -> "list[_Table]":
        """Return the array of tables under ``key``."""
        found = self.data.get(key, [])
        if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
            raise self.error(f"{key} must be an array of tables [[{key}]], not {found!r}")
        return [
            _Table(self.path, f"[[{key}]] number {i + 1}", entry) for i, entry in enumerate(found)
        ]

    def check_keys(self, valid: tuple[str, ...], needed: tuple[str, ...] = ()) -> None:
        """Raise SpikeletError for a key that is unknown or missing."""
        for key in self.data:
            if key not in valid:
                raise self.error(f"unknown key {key!r}; valid keys are {', '.join(valid)}")
        for key in needed:
            if key not in self.data:
                raise self.error(f"key {key!r} is missing")

    def call(self, function: Callable[..., Any], *args: Any, **others: Any) -> Any:
        """Return ``function`` called with the table's keys as its keyword arguments.

        SpikeletError for a key that is not one of its parameters, or missing, or of a value that
        the function refuses; it judges further keys itself if it takes them.
        """
        parameters = list(inspect.signature(function).parameters.values())[len(args) :]
        named = [p for p in parameters if p.kind is not p.VAR_KEYWORD]
        needed = [p.name for p in named if p.default is p.empty and p.name not in others]
        further = tuple(self.data) if len(named) < len(parameters) else ()
        self.check_keys((*(p.name for p in named), *further), tuple(needed))
        with self.blamed():
            return function(*args, **self.data, **others)

    @contextmanager
    def blamed(self, key: str = "") -> Iterator[None]:
        """Let errors say that this table is their place; and ``key``, if they do not name it."""
        try:
            yield
        except SpikeletError as error:
            raise self.error(f"{key}{error.args[0]}", error.remedy) from error
        except TypeError as error:
            raise self.error(f"a value is of the wrong type: {error}") from error

    def without(self, *keys: str) -> "_Table":
        """Return the table without some keys."""
        rest = {key: value for key, value in self.data.items() if key not in keys}
        return _Table(self.path, self.place, rest)


class _Reader:
    def __init__(
        self, path: Path, data: dict[str, Any], seed: int | None, preset: str | Path | None
    ) -> None:
        self.top = _Table(path, "", data)
        self.top.check_keys(_TOP, ("inputs", "populations", "projections", "outputs"))
        with self.top.blamed():
            self.network = PlasticNetwork(
                data.get("name", path.stem),
                data.get("dt", 1e-3),
                data.get("seed", 0) if seed is None else seed,
                preset=_preset(path, data) if preset is None else preset,
            )

    def file(self) -> NetworkFile:
        network = self.network
        for table in self.top.tables("inputs"):
            table.call(network.inputs, _name(table))
        for table in self.top.tables("populations"):
            self._population(table)
        for table in self.top.array("projections"):
            self._projection(table)
        for table in self.top.array("winner_take_all"):
            table.call(network.winner_take_all)
        outputs = self.top.data["outputs"]
        if not isinstance(outputs, list):
            raise self.top.error(f"outputs must be a list of populations, not {outputs!r}")
        for name in outputs:
            with self.top.blamed():
                network.output(name)
        chip = self.top.table("chip")
        usual = self.network.preset.limits if self.network.preset else {}
        limits: PlacementLimits = _Table(chip.path, chip.place, usual | chip.data).call(
            PlacementLimits
        )
        with self.top.blamed():
            integers = network.integers(self._encoder())
        return NetworkFile(integers, limits, self.top.path)

    def _population(self, table: _Table) -> None:
        options: dict[str, Any] = {}
        if "adaptation" in table.data:
            inner = table.table("adaptation", f"{table.place} adaptation")
            options["adaptation"] = inner.call(Adaptation)
        if "error" in table.data:
            inner = table.table("error", f"{table.place} error")
            options["error"] = inner.call(ErrorParams)
        file = table.data.get("neuron")
        if isinstance(file, str) and file.endswith((".toml", ".json")):
            options["neuron"] = table.path.parent / file
        table.without(*options).call(self.network.population, _name(table), **options)

    def _projection(self, table: _Table) -> None:
        options: dict[str, Any] = {}
        if isinstance(table.data.get("weights"), str):
            options["weights"] = self._weights_file(table)
        if "rule" in table.data:
            options["rule"] = self._rule(table, table.data["rule"])
        if "short_term" in table.data:
            inner = table.table("short_term", f"{table.place} short_term")
            options["short_term"] = inner.call(ShortTermPlasticity.of)
        if "devices" in table.data:
            options["devices"] = self._devices(table, table.data["devices"])
        if "variability" in table.data:
            options["variability"] = self._variability(table)
        table.without(*options).call(self.network.project, **options)

    def _weights_file(self, table: _Table) -> Any:
        path = table.path.parent / table.data["weights"]
        with table.blamed("weights: "):
            return read_array(path, "an .npy file with integers of shape (source, target)")

    def _rule(self, table: _Table, name: object) -> LearningRule:
        rules = self.top.table("rules")
        if not isinstance(name, str) or name not in (*rules.data, *RULES):
            known = ", ".join((*rules.data, *RULES))
            raise table.error(f"rule must be one of {known}, not {name!r}")
        if name not in rules.data:
            return _with_defaults(table, name)
        return _rule_of(rules.table(name, f"[rules.{name}]"), name)

    def _devices(self, table: _Table, name: object) -> Devices:
        tables = self.top.table("devices")
        if not isinstance(name, str) or name not in tables.data:
            known = ", ".join(tables.data) or "none yet"
            raise table.error(f"devices must be one of the tables [devices.NAME]: {known}")
        found = tables.table(name, f"[devices.{name}]")
        if "model" not in found.data:
            made: Devices = found.call(Devices)
            return made
        model = found.data["model"]
        with found.blamed():
            if not isinstance(model, str):
                raise SpikeletError(f"model must be a name or a .toml file, not {model!r}")
            file = found.path.parent / model if model.endswith(".toml") else model
            built: Devices = found.without("model").call(device_model(file).devices)
        return built

    def _variability(self, table: _Table) -> Variability:
        inner = table.table("variability", f"{table.place} variability")
        options = {}
        if isinstance(inner.data.get("faults"), str):
            path = table.path.parent / inner.data["faults"]
            with inner.blamed("faults: "):
                options["faults"] = read_array(path, "an .npy file with a fault map")
        found: Variability = inner.without(*options).call(Variability, **options)
        return found

    def _encoder(self) -> Encoder | None:
        if "encoder" not in self.top.data:
            return None
        table = self.top.table("encoder")
        kind = table.data.get("kind")
        if not isinstance(kind, str) or kind not in ENCODERS:
            raise table.error(f"kind must be one of {', '.join(ENCODERS)}, not {kind!r}")
        given = set(inspect.signature(ENCODERS[kind]).parameters)
        own = tuple(sorted(given - {"levels", "full_scale", "seed", "dt"}))
        table.check_keys(("kind", "rest", *own), ("ticks",))
        options = {key: value for key, value in table.data.items() if key in own}
        if "dt" in given:
            options["dt"] = self.network.dt
        seed = self.network.seed if "seed" in given else None
        encoder = Encoder(kind, options, seed, table.data.get("rest", 0))
        n_inputs = sum(group.size for group in self.network.input_groups.values())
        with table.blamed():  # now, rather than when samples are there
            encoder.encode(np.zeros((1, n_inputs), np.int64), 1)
        return encoder


def _preset(path: Path, data: dict[str, Any]) -> Any:
    """Return the file's preset: a name, or a file beside it."""
    given = data.get("preset")
    if isinstance(given, str) and given.endswith(".toml"):
        return path.parent / given
    return given


def _name(table: _Table) -> str:
    return table.place.strip("[]").split(".", 1)[1]


def _with_defaults(table: _Table, name: str) -> LearningRule:
    """Return a named rule as it is; SpikeletError if it has a parameter without a default."""
    missing = [
        parameter.name
        for parameter in inspect.signature(RULES[name]).parameters.values()
        if parameter.default is inspect.Parameter.empty
    ]
    if missing:
        raise table.error(
            f"rule {name!r} needs {', '.join(missing)}: give it a table, [rules.NAME] with "
            f"named = {name!r}"
        )
    return RULES[name]()


def _rule_of(rule: _Table, name: str) -> LearningRule:
    """Return the rule of a table; ``name`` is what it is called if the table does not say."""
    if "named" in rule.data:
        named = rule.data["named"]
        if not isinstance(named, str) or named not in RULES:
            known = ", ".join(RULES)
            raise rule.error(f"named must be one of {known}, not {named!r}")
        made: LearningRule = rule.without("named").call(RULES[named])
        return made
    traces = {
        trace: rule.table(trace, f"{rule.place} {trace}").call(TraceParams)
        for trace in TRACES
        if trace in rule.data
    }
    if "name" not in rule.data:
        traces["name"] = name
    custom: LearningRule = rule.without(*traces).call(LearningRule, **traces)
    return custom
