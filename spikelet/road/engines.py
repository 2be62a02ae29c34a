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
from spikelet.description.trace import Trace
from spikelet.errors import SpikeletError
from spikelet.road.compiled import CompiledNetwork

__all__ = ["ENGINES", "simulate"]

NETLIST_DEVICES = {"ecp5": "LFE5U-85F", "ice40": "ICE40UP5K-SG48"}

ENGINES = ("golden", "rtl", *(f"netlist-{family}" for family in NETLIST_DEVICES))
"""The golden model, the generated Verilog, and the netlists that synthesis makes of it."""


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
    design = _design(compiled, engine, folder)
    # A netlist takes the C++ compiler minutes at its best optimisation, and runs few samples.
    optimise = "run" if engine == "rtl" else "build"
    with CompiledChip(compiled.chip, design, name=engine, optimise=optimise) as chip:
        chip.load(compiled.image)
        return chip.run(events, record=record, neurons=compiled.neurons, progress=progress)


def _design(compiled: CompiledNetwork, engine: str, folder: Path | None) -> Design:
    """Return the Verilog that an engine simulates."""
    verilog = to_verilog(Chip(compiled.chip), "chip")
    if engine == "rtl":
        return Design(verilog)
    if folder is None:
        raise SpikeletError(f"engine {engine} needs a folder to synthesise in")
    family = engine.removeprefix("netlist-")
    folder = folder / engine
    folder.mkdir(parents=True, exist_ok=True)
    report = synthesise(verilog, "chip", device_named(NETLIST_DEVICES[family]), folder)
    return Design(
        report.netlist_verilog.read_text(),
        netlist_sources(family),
        netlist_includes(),
    )
