"""cocotb bench of the learning rule's datapath: a visit in every cycle.

Parameters: ``core``; ``layouts`` with that of ``visit``; ``latency``; ``draw_stage``.
"""

from dataclasses import dataclass
from typing import Any

import cocotb
import numpy as np
import numpy.typing as npt

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.memory_map import post_fields
from spikelet.description.lanes import pack_lanes
from spikelet.description.learning.rule import DRAW_BITS, LearningRule, variable_range
from spikelet.description.learning.text import PHASES, Term
from spikelet.golden.learning_rule import visit
from spikelet.sim.testbench import Checks, pack, parameters, random_source, start

VISITS = 900

_Int = npt.NDArray[np.int64]


def port_word(codes: npt.NDArray[Any], bits: int) -> int:
    """Return lanes of so many bits as one port takes them."""
    _, words = pack_lanes(codes.reshape(1, -1), bits)
    return sum(word << 32 * bank for bank, word in enumerate(words.tolist()))


def _values(rng: np.random.Generator, low: int, high: int, lanes: int) -> _Int:
    """Return values over the whole range, at its ends, or near 0."""
    near = np.clip(rng.integers(-3, 4, lanes), low, high)
    kinds = (rng.integers(low, high + 1, lanes), rng.choice((low, high), lanes), near)
    return np.choose(rng.integers(0, 3, lanes), kinds)


@dataclass
class Visit:
    """A visit of a row of synapses, and what golden makes of it."""

    phase: str
    shared: dict[str, int]
    lanes: dict[str, _Int]
    draws: _Int
    new: dict[str, _Int]

    @classmethod
    def random(cls, rng: np.random.Generator, core: CoreParams) -> "Visit":
        """Return any visit that the rule of a core could make."""
        rule = core.learning
        assert rule is not None
        phase = str(rng.choice(PHASES))

        def values(name: str, count: int) -> _Int:
            bits = core.weight_min, core.weight_max, core.potential_bits
            return _values(rng, *variable_range(rule, name, *bits), count)

        bit = ("b",) if "b" in rule.variables else ()
        shared = {name: int(values(name, 1)[0]) for name in (*rule.pre_traces, "r", *bit)}
        shared["r"] *= int(rng.random() < 0.7)
        shared |= {f"period_{k}": int(rng.integers(2)) for k in rule.periods}
        shared["x0"] = 1 if phase == "pre" else int(rng.integers(2))
        shared |= {name: int(phase == name) for name in ("post", "sweep")}
        names = [*post_fields(core), "w", *(["t"] if rule.tag else [])]
        names += ["e"] if rule.reads_error else []
        lanes = {name: values(name, core.lanes) for name in names}
        bounds = rng.choice((rule.w_min, rule.w_max), core.lanes) + rng.integers(-3, 4, core.lanes)
        near = np.clip(bounds, core.weight_min, core.weight_max)
        lanes["w"] = np.where(rng.random(core.lanes) < 0.3, near, lanes["w"])
        lanes["y0"] = rng.integers(0, 2, core.lanes)
        draws = rng.integers(0, 1 << DRAW_BITS, core.lanes)
        made = cls(phase, shared, lanes, draws, {})
        made.new = made._expected(rule)
        return made

    def terms(self, rule: LearningRule) -> list[Term]:
        """Return the terms that this visit evaluates."""
        terms = [term for term in rule.terms if term.phase == self.phase]
        if self.phase != "sweep":
            return terms
        return [
            term
            for term in terms
            if self.shared["r" if term.period is None else f"period_{term.period}"]
        ]

    def _expected(self, rule: LearningRule) -> dict[str, _Int]:
        values = {name: np.array(value, np.int64) for name, value in self.shared.items()}
        values |= {name: value[None, :] for name, value in self.lanes.items()}
        draws = self.draws[None, :] if rule.stochastic else None
        weights, tags = visit(rule, self.terms(rule), values, draws)
        name = "pulse" if rule.devices else "w"
        new = {name: np.broadcast_to(weights, (1, self.draws.size))[0]}
        if tags is not None:
            new["t"] = np.broadcast_to(tags, (1, self.draws.size))[0]
        return new


class Ports:
    """The datapath's ports; draws come later than the visit that they belong to."""

    def __init__(self, dut: Any, given: dict[str, Any]) -> None:
        self.dut = dut
        self.core: CoreParams = given["core"]
        self.layout = given["layouts"]["visit"]
        self.fields = post_fields(self.core)
        rule = self.core.learning
        assert rule is not None
        self.stochastic = rule.stochastic
        self.error_bits = rule.error_bits if rule.reads_error else 0
        signed = self.core.weight_format == "signed"
        self.memories = {"w": ("weights", self.core.weight_bits, signed)}
        if rule.tag:
            self.memories["t"] = ("tags", rule.tag_bits, True)

    def enter(self, made: Visit) -> None:
        """Show a visit."""
        self.dut.visit.value = pack(self.layout, made.shared)
        self.dut.fired.value = port_word(made.lanes["y0"], 1)
        for name, (port, bits, _) in self.memories.items():
            getattr(self.dut, port).value = port_word(made.lanes[name], bits)
        codes, first = np.zeros(self.core.lanes, np.int64), 0
        for name, bits in self.fields.items():
            codes |= (made.lanes[name] & ((1 << bits) - 1)) << first
            first += bits
        if self.error_bits:
            self.dut.errors.value = port_word(made.lanes["e"], self.error_bits)
        if first:
            self.dut.neurons.value = port_word(codes, first)

    def draw(self, made: Visit) -> None:
        """Show a visit's draws."""
        if self.stochastic:
            self.dut.draws.value = port_word(made.draws, DRAW_BITS)

    def leaving(self) -> dict[str, _Int]:
        """Return the new values that are shown."""
        new = {}
        if self.core.learning and self.core.learning.devices:
            up, down = (_bits(int(port.value), self.core) for port in (self.dut.up, self.dut.down))
            new["pulse"] = up - down
        for name, (port, bits, signed) in self.memories.items():
            if name == "w" and "pulse" in new:
                continue
            word = int(getattr(self.dut, f"new_{port}").value)
            lanes = np.arange(self.core.lanes).tolist()
            codes = np.array([word >> lane * bits & ((1 << bits) - 1) for lane in lanes])
            new[name] = codes - ((codes >> (bits - 1) << bits) if signed else 0)
        return new


def _bits(word: int, core: CoreParams) -> _Int:
    """Return the bit of each lane."""
    return np.array([word >> lane & 1 for lane in range(core.lanes)], np.int64)


def _note(checks: Checks, made: Visit, rule: LearningRule) -> None:
    """Note what a visit reaches."""
    if made.terms(rule):
        checks.reach(made.phase)
    for name, new in made.new.items():
        old = made.lanes.get(name, np.zeros_like(new))
        checks.reach(f"{name} rises", (new > old).any())
        checks.reach(f"{name} falls", (new < old).any())
        checks.reach(f"{name} stays", (new == old).any())
    if "w" not in made.new:
        return
    inside = (made.lanes["w"] > rule.w_min) & (made.lanes["w"] < rule.w_max)
    checks.reach("upper bound", (inside & (made.new["w"] == rule.w_max)).any())
    checks.reach("lower bound", (inside & (made.new["w"] == rule.w_min)).any())


@cocotb.test(timeout_time=50, timeout_unit="us")
async def visits(dut: Any) -> None:
    """New weights and tags of every visit, one a cycle, after ``latency`` cycles."""
    given, rng = parameters(), random_source()
    core: CoreParams = given["core"]
    latency, draw_stage = given["latency"], given["draw_stage"]
    rule = core.learning
    assert rule is not None
    made = [Visit.random(rng, core) for _ in range(VISITS)]
    corners = [*rule.phases, *([] if rule.devices else ["upper bound", "lower bound"])]
    corners += [f"{n} {how}" for n in made[0].new for how in ("rises", "falls", "stays")]
    checks = Checks(*corners)
    edge = await start(dut, visit=0)
    ports = Ports(dut, given)
    for step in range(VISITS + latency):
        if step < VISITS:
            ports.enter(made[step])
        if draw_stage <= step < VISITS + draw_stage:
            ports.draw(made[step - draw_stage])
        await edge
        if step >= latency:
            number = step - latency
            got = ports.leaving()
            for name, new in made[number].new.items():
                checks.equal(new, got[name], f"new {name} of lane", visit=number)
            _note(checks, made[number], rule)
    checks.finish()
