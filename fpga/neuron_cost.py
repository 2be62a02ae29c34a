"""What one update pipeline of a neuron model takes on a device."""

import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from amaranth import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from spikelet.description.chip.core import CoreParams
from spikelet.description.neurons.model import NeuronModel
from spikelet.fpga.families.family import Device
from spikelet.fpga.flow import FpgaReport, build_out_of_context
from spikelet.fpga.tools import Progress, silent
from spikelet.rtl_gen.emit import to_verilog
from spikelet.rtl_gen.neuron_update import NeuronUpdate, neuron_layout, state_layout

__all__ = ["NeuronCost", "neuron_cost"]

_SIZE = 256
"""Axons of 4-bit weights and neurons of the core that the pipeline is for."""

_TARGET_MHZ = 200.0


@dataclass(frozen=True)
class NeuronCost:
    """What a pipeline takes: without the core's memories, and without the mix of what it draws.

    Parameters
    ----------
    model, device : str
    latency : int
        Clock cycles: lines of the text that are left.
    luts, flip_flops, dsps : int
        Of the pipeline alone. Where a cell has both, ``luts`` counts cells in use.
    fmax_mhz : float
        Between the registers before the pipeline, within it, and behind it; routed.
    """

    model: str
    device: str
    latency: int
    luts: int
    flip_flops: int
    dsps: int
    fmax_mhz: float


class _Registered(wiring.Component):
    """A pipeline behind the registers that a memory has in a core."""

    def __init__(self, core: CoreParams) -> None:
        self.core = core
        super().__init__({"neuron": In(neuron_layout(core)), "result": Out(state_layout(core))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.pipeline = pipeline = NeuronUpdate(self.core)
        entering = Signal(neuron_layout(self.core))
        m.d.sync += entering.eq(self.neuron)
        m.d.comb += [pipeline.neuron.eq(entering), self.result.eq(pipeline.result)]
        return m


def neuron_cost(
    model: NeuronModel,
    device: Device,
    *,
    potential_bits: int = 16,
    parameters: Mapping[str, str | int] | None = None,
    seeds: Iterable[int] = (1,),
    folder: Path | None = None,
    progress: Progress = silent,
) -> NeuronCost:
    """Synthesise, place and route one pipeline by itself.

    Parameters
    ----------
    model : NeuronModel
    device : Device
    potential_bits : int
    parameters : mapping of str to str or int, or None
        As for :class:`CoreParams`; what is not named is loaded, but for constants of the model.
    seeds : iterable of int
        Of placement; the best counts.
    folder : Path or None
        Where the files go; None keeps none.

    Raises
    ------
    SpikeletError
        If the model does not fit a core of so many bits, or a tool fails.
    """
    shared = {p.name: "shared" for p in model.parameters if not p.constant}
    core = CoreParams(
        _SIZE,
        _SIZE,
        model,
        potential_bits=potential_bits,
        parameters={**shared, **(parameters or {})},
    )
    with tempfile.TemporaryDirectory() as temporary:
        built = build_out_of_context(
            to_verilog(_Registered(core), "neuron"),
            "neuron",
            device,
            folder or Path(temporary) / "neuron",
            target_mhz=_TARGET_MHZ,
            seeds=seeds,
            progress=progress,
        )
    return _cost(core, device, built)


def _cost(core: CoreParams, device: Device, built: FpgaReport) -> NeuronCost:
    """Take off the registers before the pipeline, and the ring around it if there is one."""
    entering, leaving = neuron_layout(core).size, state_layout(core).size
    used = {name: usage.used for name, usage in built.routed.utilisation.items()}
    flip_flops = used.get("flip_flops", built.synthesised.get("flip_flops", 0)) - entering
    luts = used["luts"]
    if built.harnessed:  # with an input for the reset; cells without a LUT count
        ring = entering + 1 + leaving + 1
        luts -= ring + entering
        flip_flops -= ring
    return NeuronCost(
        model=core.neuron.name,
        device=device.name,
        latency=len(core.update.lines),
        luts=luts,
        flip_flops=flip_flops,
        dsps=used.get("dsps", 0),
        fmax_mhz=built.routed.fmax_mhz,
    )
