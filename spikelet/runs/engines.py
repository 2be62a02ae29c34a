"""The engines that can run a compiled network; each returns the same Trace."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy.typing as npt

from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.artefact import Artefact, digest_of
from spikelet.description.errors import SpikeletError
from spikelet.description.installation import require
from spikelet.description.run.events import Events
from spikelet.description.run.recording import Trace
from spikelet.description.versions import golden_version, package_versions
from spikelet.fpga.families import families
from spikelet.fpga.families.family import Family
from spikelet.fpga.synthesise import script, synthesise
from spikelet.golden import chip as golden_chip
from spikelet.locked import writing
from spikelet.rtl_gen.chip import Chip
from spikelet.rtl_gen.emit import to_verilog
from spikelet.sim.engine import VerilatedChip
from spikelet.sim.verilator import Design

__all__ = [
    "CHIP_VERILOG",
    "EMITTED_VERILOG",
    "MADE_OF",
    "Engine",
    "chosen_engines",
    "engine_named",
    "engine_tools",
    "engines",
    "netlist_engines",
    "simulate",
]

CHIP_VERILOG = "chip Verilog"
"""Role of the chip's Verilog among the inputs of what was made of it."""

EMITTED_VERILOG = "emitted Verilog"
"""The same of the file in the project folder, where the modules may have other names."""

MADE_OF = "made of"
"""Note of a Trace: digests, by role, of what ran besides the network."""

_COCOTB = "cocotb"
_COCOTB_SIMULATORS = ("verilator", "icarus")


@dataclass(frozen=True)
class _Wanted:
    """A run that is asked of an engine; see :func:`simulate`."""

    compiled: CompiledNetwork
    events: Events
    folder: Path | None
    record: Sequence[str]
    progress: Callable[[int], None]

    def place(self, engine: str) -> Path:
        """Return the project folder; SpikeletError if none was given."""
        if self.folder is None:
            raise SpikeletError(f"engine {engine} needs a project folder to work in")
        return self.folder


@dataclass(frozen=True)
class Engine:
    """What runs a compiled network.

    Parameters
    ----------
    run : callable
        Given a run that is wanted, returns the Trace.
    tools : callable
        Returns the versions of what computes its results.
    design : callable or None
        Given the network and the project folder, returns the Verilog that it ran; None of an engine
        that runs none.
    few_samples : bool
        Whether it is so slow that it verifies some samples only.
    """

    run: Callable[[_Wanted], Trace]
    tools: Callable[[], dict[str, str]]
    design: Callable[[CompiledNetwork, Path], Design] | None = None
    few_samples: bool = False


def _golden(wanted: _Wanted) -> Trace:
    compiled = wanted.compiled
    return golden_chip.run(
        compiled.chip,
        compiled.image,
        wanted.events,
        record=wanted.record,
        neurons=compiled.neurons,
        progress=wanted.progress,
    )


def _golden_tools() -> dict[str, str]:
    return {"golden model": golden_version(), **package_versions("numpy")}


def _compiled_tools() -> dict[str, str]:
    return package_versions("amaranth", "pyosys", "verilator")


def _rtl(wanted: _Wanted) -> Trace:
    design = _rtl_design(wanted.compiled)
    return _simulated(wanted, design, "rtl", "run", {CHIP_VERILOG: digest_of(design.text)})


def _rtl_design(compiled: CompiledNetwork, folder: Path | None = None) -> Design:
    return Design(to_verilog(Chip(compiled.chip), "chip"))


def _netlist(family: Family, wanted: _Wanted) -> Trace:
    """Run what synthesis makes for the family's largest device."""
    engine = f"netlist-{family.name}"
    folder = wanted.place(engine) / engine
    verilog = to_verilog(Chip(wanted.compiled.chip), "chip")
    device = family.largest
    made = Artefact(
        f"netlist for {device.name}",
        {CHIP_VERILOG: digest_of(verilog)},
        options={"device": device.name, "synthesis": digest_of(script(verilog, "chip", device))},
        tools=package_versions("pyosys"),
    )
    with writing(folder):
        found = Artefact.load(folder)
        if found is None or not found.same_making(made) or not found.intact(folder):
            synthesise(verilog, "chip", device, folder)
            made.seal(folder)
        design = _netlist_design(family, wanted.compiled, folder.parent)
    # It takes the C++ compiler minutes at its best optimisation, and runs few samples.
    return _simulated(wanted, design, engine, "build", made.inputs)


def _netlist_design(family: Family, compiled: CompiledNetwork, folder: Path) -> Design:
    """Return the netlist that was simulated last."""
    netlist = (folder / f"netlist-{family.name}" / "netlist.v").read_text()
    return Design(netlist, family.cell_models, family.include_folders())


def _simulated(
    wanted: _Wanted, design: Design, name: str, optimise: str, made_of: Mapping[str, str]
) -> Trace:
    """Run in a Verilated chip."""
    compiled = wanted.compiled
    with VerilatedChip(compiled.chip, design, name=name, optimise=optimise) as chip:
        chip.load(compiled.image)
        trace = chip.run(
            wanted.events,
            record=wanted.record,
            neurons=compiled.neurons,
            progress=wanted.progress,
        )
    trace.notes[MADE_OF] = dict(made_of)
    return trace


def _emitted_design(compiled: CompiledNetwork, folder: Path) -> Design:
    return Design((folder / "rtl" / "chip.v").read_text())


def _cocotb(simulator: str, wanted: _Wanted) -> Trace:
    _require_cocotb()
    from spikelet.sim.emitted import run_samples  # noqa: PLC0415 - cocotb is needed by this engine only

    compiled, name = wanted.compiled, f"{_COCOTB}-{simulator}"
    folder = wanted.place(name)
    trace = run_samples(
        *(compiled.chip, compiled.image, folder / "rtl", wanted.events, simulator, folder / name),
        record=wanted.record,
        neurons=compiled.neurons,
    )
    wanted.progress(wanted.events.samples)
    design = _emitted_design(compiled, folder)
    trace.notes[MADE_OF] = {EMITTED_VERILOG: digest_of(design.text)}
    return trace


_ENGINES: dict[str, Engine] = {
    "golden": Engine(_golden, _golden_tools),
    "rtl": Engine(_rtl, _compiled_tools, _rtl_design),
}

_COCOTB_ENGINES: dict[str, Engine] = {
    f"{_COCOTB}-{name}": Engine(
        partial(_cocotb, name),
        partial(package_versions, "cocotb", name),
        _emitted_design,
        few_samples=True,
    )
    for name in _COCOTB_SIMULATORS
}


def netlist_engines() -> dict[str, Engine]:
    """Return the engines that run what synthesis made, one for each FPGA family, by name."""
    return {
        f"netlist-{family.name}": Engine(
            partial(_netlist, family),
            _compiled_tools,
            partial(_netlist_design, family),
            few_samples=True,
        )
        for family in families()
    }


def engines() -> dict[str, Engine]:
    """Return all engines by name.

    The golden model; the generated Verilog; the netlists that synthesis makes of it; and the
    emitted files of a project, in Verilog simulators by cocotb.
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
        from spikelet.sim.emitted import missing_simulator  # noqa: PLC0415 - as above

        missing = {simulator: missing_simulator(simulator) for simulator in _COCOTB_SIMULATORS}
        there = [f"{_COCOTB}-{simulator}" for simulator in missing if not missing[simulator]]
        reasons = [reason for reason in missing.values() if reason]
        if not there:
            raise SpikeletError(f"engine {_COCOTB} finds no simulator", remedy="; ".join(reasons))
        for reason in reasons:
            say(f"engine {_COCOTB} leaves one simulator out: {reason}")
        chosen += there
    return tuple(dict.fromkeys(chosen))


def _require_cocotb() -> None:
    require("cocotb", "engine cocotb")


def engine_tools(engine: str) -> dict[str, str]:
    """Return the versions of what computes an engine's results."""
    known = engines()
    return known[engine].tools() if engine in known else {}


def simulate(
    compiled: CompiledNetwork,
    spikes: npt.ArrayLike,
    engine: str = "golden",
    *,
    folder: Path | None = None,
    record: Sequence[str] = ("spikes", "states"),
    progress: Callable[[int], None] = lambda samples: None,
) -> Trace:
    """Run samples on one of :func:`engines`.

    Parameters
    ----------
    compiled : CompiledNetwork
    spikes : array of 0 and 1, shape (samples, ticks, n_inputs)
    engine : str
    folder : Path or None
        The project folder, in which synthesis works and leaves its netlist, and where the emitted
        Verilog is; golden and RTL do not need it.
    record : sequence of str
        Any of ``"spikes"`` and ``"states"``, of every neuron.
    progress : callable
        Told how many samples are done, now and then.

    Raises
    ------
    SpikeletError
        For an unknown engine, input that does not fit the network, or a missing tool.
    """
    chosen = engine_named(engine)
    return chosen.run(_Wanted(compiled, compiled.events(spikes), folder, record, progress))
