"""The engines that can run a compiled network; each returns the same Recording."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from weakref import WeakKeyDictionary

from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.chip.state import ChipState
from spikelet.description.errors import SpikeletError
from spikelet.description.installation import require
from spikelet.description.run.recording import Recording
from spikelet.description.versions import golden_version, package_versions
from spikelet.fpga.families import families
from spikelet.fpga.families.family import Family
from spikelet.golden.chip import GoldenChip
from spikelet.runs.wanted import Wanted

__all__ = [
    "Engine",
    "chosen_engines",
    "engine_named",
    "engine_tools",
    "engines",
    "netlist_engines",
]

_COCOTB = "cocotb"
_COCOTB_SIMULATORS = ("verilator", "icarus")

_chips: "WeakKeyDictionary[CompiledNetwork, tuple[GoldenChip, bool]]" = WeakKeyDictionary()
"""Golden chips that wait for another run, and whether they hold something else than at first."""


@dataclass(frozen=True)
class Engine:
    """What runs a compiled network.

    Parameters
    ----------
    run : callable
        Given a run that is wanted, returns the Recording, and the state after it, None if the
        engine cannot tell.
    tools : callable
        Returns the versions of what computes its results.
    few_samples : bool
        Whether it is so slow that it verifies some samples only.
    """

    run: Callable[[Wanted], tuple[Recording, ChipState | None]]
    tools: Callable[[], dict[str, str]]
    few_samples: bool = False


def _golden(wanted: Wanted) -> tuple[Recording, ChipState]:
    compiled = wanted.compiled
    # a chip that runs is not among those that wait
    chip, changed = _chips.pop(compiled, (None, False))
    if chip is None:
        chip = GoldenChip(compiled.chip, compiled.image, neurons=compiled.neurons)
    changes = compiled.learns or wanted.start is not None or not wanted.clear
    if changes or changed:
        chip.restore(wanted.state)
    trace = chip.run(
        compiled.dense_spikes(wanted.spikes, wanted.extra_ticks),
        record=wanted.record,
        reward=wanted.reward,
        clear=wanted.clear,
        progress=wanted.progress,
        stop_at_output=wanted.early_stop,
        threads=wanted.threads,
    )
    state = chip.snapshot()
    _chips[compiled] = (chip, changes)
    return trace, state


def _golden_tools() -> dict[str, str]:
    return {"golden model": golden_version(), **package_versions("numpy")}


def _simulation_tools() -> dict[str, str]:
    return package_versions("amaranth", "pyosys", "verilator")


# The others are loaded when they are used: golden needs no hardware tools.


def _rtl(wanted: Wanted) -> tuple[Recording, ChipState | None]:
    from spikelet.runs.hardware import run_rtl  # noqa: PLC0415

    return run_rtl(wanted)


def _board(wanted: Wanted) -> tuple[Recording, ChipState | None]:
    from spikelet.runs.driven import run_board  # noqa: PLC0415

    return run_board(wanted)


def _netlist(family: Family, wanted: Wanted) -> tuple[Recording, ChipState | None]:
    from spikelet.runs.hardware import run_netlist  # noqa: PLC0415

    return run_netlist(family, wanted)


def _cells(wanted: Wanted) -> tuple[Recording, ChipState | None]:
    from spikelet.runs.hardware import run_standard_cells  # noqa: PLC0415

    return run_standard_cells(wanted)


def _cocotb(simulator: str, wanted: Wanted) -> tuple[Recording, ChipState | None]:
    _require_cocotb()
    from spikelet.runs.hardware import run_cocotb  # noqa: PLC0415

    return run_cocotb(simulator, wanted)


def _require_cocotb() -> None:
    require("cocotb", "engine cocotb")


_ENGINES: dict[str, Engine] = {
    "golden": Engine(_golden, _golden_tools),
    "rtl": Engine(_rtl, _simulation_tools),
    "board": Engine(_board, partial(package_versions, "numpy", "pyserial")),
}

_COCOTB_ENGINES: dict[str, Engine] = {
    f"{_COCOTB}-{name}": Engine(
        partial(_cocotb, name), partial(package_versions, "cocotb", name), few_samples=True
    )
    for name in _COCOTB_SIMULATORS
}


def netlist_engines() -> dict[str, Engine]:
    """Return the engines that run what synthesis made, by name.

    One for each FPGA family, and one for standard cells.
    """
    made_for = {family.name: partial(_netlist, family) for family in families()}
    found = {
        f"netlist-{name}": Engine(runs, _simulation_tools, few_samples=True)
        for name, runs in made_for.items()
    }
    return found | {"netlist-cells": Engine(_cells, _simulation_tools, few_samples=True)}


def engines() -> dict[str, Engine]:
    """Return all engines by name.

    The golden model; the generated Verilog; a board at a serial port; the netlists that synthesis
    makes of the Verilog; and the emitted files of a project, in Verilog simulators by cocotb.
    """
    return {**_ENGINES, **netlist_engines(), **_COCOTB_ENGINES}


def engine_named(name: str) -> Engine:
    """Return an engine by name; SpikeletError lists the names otherwise."""
    known = engines()
    if name not in known:
        raise SpikeletError(f"engine must be one of {', '.join(known)}, not {name!r}")
    return known[name]


def chosen_engines(
    names: Sequence[str], say: Callable[[str], None] = lambda line: None
) -> tuple[str, ...]:
    """Return the engines named, with ``cocotb`` replaced by those whose simulator is there.

    Parameters
    ----------
    names : sequence of str
        Of :func:`engines`, or ``"cocotb"``.
    say : callable
        Told what ``cocotb`` leaves out, and why.

    Raises
    ------
    SpikeletError
        For an unknown name, or if ``cocotb`` finds no simulator.
    """
    chosen: list[str] = []
    for name in names:
        if name != _COCOTB:
            engine_named(name)
            chosen.append(name)
            continue
        _require_cocotb()
        from spikelet.sim.emitted import missing_simulator  # noqa: PLC0415 - needs cocotb

        missing = {simulator: missing_simulator(simulator) for simulator in _COCOTB_SIMULATORS}
        there = [f"{_COCOTB}-{simulator}" for simulator in missing if not missing[simulator]]
        reasons = [reason for reason in missing.values() if reason]
        if not there:
            raise SpikeletError(f"engine {_COCOTB} finds no simulator", remedy="; ".join(reasons))
        for reason in reasons:
            say(f"engine {_COCOTB} leaves one simulator out: {reason}")
        chosen += there
    return tuple(dict.fromkeys(chosen))


def engine_tools(engine: str) -> dict[str, str]:
    """Return the versions of what computes an engine's results."""
    known = engines()
    return known[engine].tools() if engine in known else {}
