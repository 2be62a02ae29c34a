"""A project folder: what each stage of the road leaves there for the next.

==================  ===============================================================
``compiled/``       the compiled network
``rtl/``            Verilog, memory map, loading program, FuseSoC core file, testbenches and the
                    run of golden that they replay
``verification.json``  results of all engines; ``golden.npz`` and ``samples.npz``: a part of the
                    samples with golden's Trace of them, for the report
``netlist-FAMILY/`` netlists, as simulated
``fpga/TARGET/``    bitstream, logs and report of each board or device
``report/``         the HTML page and its pictures
==================  ===============================================================
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from boards import BOARDS, board_named
from fpga.devices import DEVICES, device_named
from fpga.fit import require_fit
from fpga.flow import REPORT, FpgaReport, build_bitstream, build_out_of_context
from fpga.self_test import BoardTop, Sample, SelfTest
from rtl_gen.chip import Chip
from rtl_gen.emit import check_top, to_verilog, write_chip
from spikelet.description.trace import AtomicFile, Difference, Trace
from spikelet.errors import SpikeletError
from spikelet.road.compiled import CompiledNetwork
from spikelet.road.engines import simulate
from spikelet.road.recorded_run import record_run
from spikelet.road.report import write_report
from spikelet.road.samples import Samples, load_samples
from spikelet.road.verify import Verification, verify
from spikelet.road.waves import write_waves

__all__ = ["TARGETS", "Project", "target_named"]

TARGETS = (*BOARDS, *DEVICES)
"""What a chip can be built for: boards, and devices out of context."""

_SAMPLES_IN_REPORT = 100


@dataclass(frozen=True)
class Project:
    """The stages of the road, each leaving its result in ``folder``."""

    folder: Path

    def save(
        self,
        compiled: CompiledNetwork,
        *,
        calibration: npt.ArrayLike | None = None,
        top: str = "chip",
    ) -> None:
        """Keep a compiled network and write the chip's files, with golden's recorded run.

        Parameters
        ----------
        compiled : CompiledNetwork
        calibration : array of 0 and 1, shape (samples, ticks, n_inputs), or None
            Input for the recorded run; see :func:`record_run`.
        top : str
            Name of the Verilog's top module.
        """
        check_top(top)
        compiled.save(self.folder / "compiled")
        run = record_run(compiled, calibration, top)
        folder = self.folder / "rtl"
        write_chip(compiled.chip, compiled.image, compiled.name, folder, top=top, run=run)

    def load(self) -> CompiledNetwork:
        """Return the compiled network."""
        return CompiledNetwork.load(self.folder / "compiled")

    def verify(
        self,
        samples: Samples,
        engines: Sequence[str],
        *,
        netlist_samples: int = 20,
        progress: Callable[[str, int, int], None] = lambda engine, done, samples: None,
        waves: Callable[[str], None] | None = None,
    ) -> Verification:
        """Run all engines on samples, keep the results, and complete the layers' statistics.

        ``waves`` is told where the waveform of an engine that differs is; without it there is none.
        """
        compiled = self.load()

        def differs(engine: str, part: Samples, difference: Difference) -> None:
            if waves:
                path = write_waves(compiled, part, engine, difference, self.folder)
                waves(f"{engine}: waveform of the ticks around the first difference: {path}")

        result, trace = verify(
            compiled,
            samples,
            engines,
            folder=self.folder,
            netlist_samples=netlist_samples,
            progress=progress,
            differs=differs,
        )
        saturations = {}
        for layer in compiled.layers:
            core = compiled.chip.cores[layer.slices[0].core]
            v = compiled.layer_potentials(trace, layer.name)
            saturations[layer.name] = int(np.isin(v, (core.v_min, core.v_max)).sum())
        agreement = compiled.agreement(trace, samples.spikes)
        compiled.evaluated(agreement=agreement, saturations=saturations).save(
            self.folder / "compiled"
        )
        shown = samples.first(_SAMPLES_IN_REPORT)
        trace.first(_SAMPLES_IN_REPORT).save(self.folder / "golden.npz")
        with AtomicFile(self.folder / "samples.npz") as file:
            arrays: dict[str, npt.NDArray[Any]] = {"spikes": shown.spikes}
            if shown.labels is not None:
                arrays["labels"] = shown.labels
            np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
        result.save(self.folder / "verification.json")
        return result

    def build(
        self,
        target: str,
        samples: Samples | None = None,
        *,
        sample: int = 0,
        seeds: Sequence[int] = (1, 2, 3, 4),
        target_mhz: float = 100.0,
        progress: Callable[[str], None] = lambda line: None,
    ) -> FpgaReport:
        """Build a self-test bitstream for a board, or the bare chip for a device.

        Parameters
        ----------
        target : str
            Of :data:`TARGETS`.
        samples : Samples
            Needed for a board: sample number ``sample`` is stored in the image.
        seeds : sequence of int
            Tried until one meets the board's clock, or ``target_mhz`` in a bare device.
        """
        target = target_named(target)
        compiled = self.load()
        folder = self.folder / "fpga" / target
        if target in DEVICES:
            device = device_named(target)
            require_fit(compiled.chip, device)
            verilog = to_verilog(Chip(compiled.chip), "chip")
            return build_out_of_context(
                verilog,
                "chip",
                device,
                folder,
                target_mhz=target_mhz,
                enough_mhz=target_mhz,
                seeds=seeds,
                progress=progress,
            )
        board = board_named(target)
        require_fit(compiled.chip, device_named(board.device))
        if samples is None:
            raise SpikeletError(
                f"the image for {target} stores a sample, and none was given",
                remedy="give a samples file",
            )
        top = BoardTop(
            SelfTest(Chip(compiled.chip), compiled.chip, _stored(compiled, samples, sample)), board
        )
        return build_bitstream(
            to_verilog(top, "top"), "top", board, folder, seeds=seeds, progress=progress
        )

    def report(self, sample: int = 0) -> Path:
        """Write the HTML page of all that the folder holds; return its path."""
        compiled = self.load()
        verification, trace, samples = None, None, None
        if (self.folder / "verification.json").exists():
            verification = Verification.load(self.folder / "verification.json")
            trace = Trace.load(self.folder / "golden.npz")
            samples = load_samples(self.folder / "samples.npz")
        built = sorted((self.folder / "fpga").glob(f"*/{REPORT}"))
        return write_report(
            self.folder / "report",
            compiled=compiled,
            samples=samples,
            verification=verification,
            trace=trace,
            fpga=[FpgaReport.load(path.parent) for path in built],
            sample=sample,
        )


def target_named(name: str) -> str:
    """Return the target called ``name``, in any case; SpikeletError lists the names otherwise."""
    for target in TARGETS:
        if target.casefold() == name.casefold():
            return target
    raise SpikeletError(f"target must be one of {', '.join(TARGETS)}, not {name!r}")


def _stored(compiled: CompiledNetwork, samples: Samples, sample: int) -> Sample:
    """Return what a self-test image stores: program, events, and golden's answer."""
    if not 0 <= sample < len(samples.spikes):
        raise SpikeletError(f"sample must be in 0..{len(samples.spikes) - 1}, not {sample}")
    spikes = samples.spikes[sample : sample + 1]
    events = compiled.events(spikes)
    expected = int(compiled.classify(simulate(compiled, spikes, record=()))[0])
    flits = np.split(events.flits(compiled.chip), events.offsets[1:-1])
    return Sample(compiled.image.program(compiled.chip), flits, expected)
