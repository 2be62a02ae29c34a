"""The engines that can run a compiled network; each returns the same Trace."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy.typing as npt

import golden.chip
from fpga.devices import device_named
from fpga.synthesise import synthesise
from rtl_gen.chip import Chip
from rtl_gen.emit import to_verilog
from sim.engine import CompiledChip
from sim.netlist import netlist_includes, netlist_sources
from sim.verilator import Design
from spikelet.description.artefact import Artefact, digest_of
from spikelet.description.trace import Trace
from spikelet.description.versions import golden_version, package_versions
from spikelet.errors import SpikeletError
from spikelet.road.compiled import CompiledNetwork
from spikelet.road.locked import writing

__all__ = ["CHIP_VERILOG", "ENGINES", "engine_tools", "simulate"]

NETLIST_DEVICES = {"ecp5": "LFE5U-85F", "ice40": "ICE40UP5K-SG48"}

ENGINES = ("golden", "rtl", *(f"netlist-{family}" for family in NETLIST_DEVICES))
"""The golden model, the generated Verilog, and the netlists that synthesis makes of it."""

CHIP_VERILOG = "chip Verilog"
"""Role of the chip's Verilog among the inputs of what was made of it."""


def engine_tools(engine: str) -> dict[str, str]:
    """Return the versions of what computes an engine's results."""
    if engine == "golden":
        return {"golden model": golden_version(), **package_versions("numpy")}
    return package_versions("amaranth", "pyosys", "verilator")


def simulate(
    compiled: CompiledNetwork,
    spikes: npt.ArrayLike,
    engine: str = "golden",
    *,
    folder: Path | None = None,
    record: Sequence[str] = ("spikes", "potentials"),
    progress: Callable[[int], None] = lambda samples: None,
) -> Trace:
    """Run samples on one of :data:`ENGINES`.

    Parameters
    ----------
    compiled : CompiledNetwork
    spikes : array of 0 and 1, shape (samples, ticks, n_inputs)
    engine : str
    folder : Path or None
        Where synthesis works and leaves its netlist; only the netlist engines need it.
    record : sequence of str
        Any of ``"spikes"`` and ``"potentials"``, of every neuron.
    progress : callable
        Told how many samples are done, now and then.

    Raises
    ------
    SpikeletError
        For an unknown engine, input that does not fit the network, or a missing tool.
    """
    if engine not in ENGINES:
        raise SpikeletError(f"engine must be one of {', '.join(ENGINES)}, not {engine!r}")
    events = compiled.events(spikes)
    if engine == "golden":
        return golden.chip.run(
            compiled.chip,
            compiled.image,
            events,
            record=record,
            neurons=compiled.neurons,
            progress=progress,
        )
    verilog = to_verilog(Chip(compiled.chip), "chip")
    design = Design(verilog) if engine == "rtl" else _netlist(verilog, engine, folder)
    # A netlist takes the C++ compiler minutes at its best optimisation, and runs few samples.
    optimise = "run" if engine == "rtl" else "build"
    with CompiledChip(compiled.chip, design, name=engine, optimise=optimise) as chip:
        chip.load(compiled.image)
        trace = chip.run(events, record=record, neurons=compiled.neurons, progress=progress)
    trace.notes[CHIP_VERILOG] = digest_of(verilog)
    return trace


def _netlist(verilog: str, engine: str, folder: Path | None) -> Design:
    """Return the netlist that synthesis makes of a chip; one that is there already is used."""
    if folder is None:
        raise SpikeletError(f"engine {engine} needs a folder to synthesise in")
    family = engine.removeprefix("netlist-")
    folder = folder / engine
    device = device_named(NETLIST_DEVICES[family])
    made = Artefact(
        f"netlist for {device.name}",
        {CHIP_VERILOG: digest_of(verilog)},
        options={"device": device.name},
        tools=package_versions("pyosys"),
    )
    with writing(folder):
        found = Artefact.load(folder)
        if found is None or not found.same_making(made) or not found.intact(folder):
            synthesise(verilog, "chip", device, folder)
            made.seal(folder)
        netlist = (folder / "netlist.v").read_text()
    return Design(netlist, netlist_sources(family), netlist_includes())
