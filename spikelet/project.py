"""A project folder: what each stage leaves there for the next.

==================  ===============================================================
``compiled/``       the compiled network
``rtl/``            Verilog, memory map, loading program, FuseSoC core file, testbenches and the
                    run of golden that they replay
``runs/ENGINE/``    what ``spikelet simulate`` ran
``verification/``   results of each engine (``verification_files.py``)
``netlist-FAMILY/`` netlists, as simulated
``fpga/TARGET/``    bitstream, logs and report of each board or device
``report/``         the HTML page and its pictures
==================  ===============================================================

Each but the report holds a record of what it was made of. What was made of another network than
``compiled/`` is never used: it is named, with the command that makes it anew.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spikelet.boards import BOARDS, board_named
from spikelet.compiler.compiled import COMPILED, CompiledNetwork
from spikelet.description.artefact import Artefact, OutOfDate, digest_of, digests_of_files
from spikelet.description.errors import SpikeletError
from spikelet.description.run.recording import Difference, Trace
from spikelet.description.versions import package_versions
from spikelet.fpga.board_top import BoardTop
from spikelet.fpga.families import device_named, devices, fusesoc_arch
from spikelet.fpga.fit import FitReport, require_fit
from spikelet.fpga.flow import REPORT, FpgaReport, build_bitstream, build_out_of_context
from spikelet.fpga.self_test import SelfTest
from spikelet.fpga.self_test_image import image_memories, program_memory, program_words
from spikelet.locked import writing
from spikelet.reports.report import write_report
from spikelet.rtl_gen.chip import Chip
from spikelet.rtl_gen.emit import check_top, to_verilog, write_chip
from spikelet.runs.engines import CHIP_VERILOG, EMITTED_VERILOG, engine_tools, simulate
from spikelet.runs.recorded_run import record_run
from spikelet.runs.self_test_run import stored_samples
from spikelet.runs.verification_files import (
    read_verification,
    write_verification,
)
from spikelet.runs.verify import Verification, verify
from spikelet.runs.waves import write_waves
from spikelet.samples.samples import Samples

__all__ = ["Project", "require_target", "target_named", "targets"]


@dataclass(frozen=True)
class Project:
    """The stages from a network to a report, each leaving its result in ``folder``.

    Parameters
    ----------
    folder : Path
    command : str
        The shell command that is being carried out, for the records; empty from Python.
    """

    folder: Path
    command: str = field(default="", compare=False)

    def save(
        self,
        compiled: CompiledNetwork,
        *,
        network: Path | None = None,
        calibration: Samples | None = None,
        top: str = "chip",
    ) -> list[OutOfDate]:
        """Keep a compiled network and write the chip's files, with golden's recorded run.

        Parameters
        ----------
        compiled : CompiledNetwork
        network : Path or None
            The file that it was made of, for the record.
        calibration : Samples or None
            Input for the recorded run, too; see :func:`record_run`.
        top : str
            Name of the Verilog's top module.

        Returns
        -------
        list of OutOfDate
            What in the folder was made of another network.
        """
        check_top(top)
        with writing(self.folder):
            files = {
                "network file": network,
                "calibration file": calibration.path if calibration else None,
            }
            inputs, sources = digests_of_files(files)
            tools = package_versions("spikelet", "numpy", "scipy", "pymetis")
            made = Artefact(COMPILED, inputs, tools=tools, command=self.command, sources=sources)
            verilog, contents = _chip_files(compiled, calibration, top)
            plain = verilog if top == "chip" else to_verilog(Chip(compiled.chip), "chip")
            verilogs = {CHIP_VERILOG: digest_of(plain), EMITTED_VERILOG: digest_of(verilog)}
            compiled.save(self.folder / "compiled", made)
            Artefact(
                "chip files",
                {**compiled.digests, **verilogs},
                options={"top": top},
                tools=package_versions("spikelet", "amaranth", "pyosys"),
                command=self.command,
            ).write(self.folder / "rtl", contents)
            return self.out_of_date()

    def load(self) -> CompiledNetwork:
        """Return the compiled network."""
        return CompiledNetwork.load(self.folder / "compiled")

    def out_of_date(self) -> list[OutOfDate]:
        """Return what in the folder was made of something else than what is there now."""
        compiled = self.load()
        _, old = self._kept_builds(compiled)
        kept = read_verification(self.folder / "verification", self._present(compiled))
        return [*self._own(), *kept.out_of_date, *self._old_runs(compiled), *old]

    def simulate(
        self,
        samples: Samples,
        engine: str = "golden",
        *,
        progress: Callable[[int], None] = lambda samples: None,
    ) -> Trace:
        """Run samples on one engine and keep the Trace in ``runs/ENGINE``."""
        compiled = self.load()
        samples.check_labels(compiled.chip.n_outputs)
        with writing(self.folder):
            trace = simulate(
                compiled, samples.spikes, engine, folder=self.folder, progress=progress
            )
            inputs, sources = digests_of_files({"samples file": samples.path})
            Artefact(
                f"run of {engine}",
                {**compiled.digests, "samples": samples.digest, **inputs},
                options={"samples": trace.samples, "ticks": trace.ticks},
                tools=engine_tools(engine),
                command=self.command,
                sources=sources,
            ).write(self.run_file(engine).parent, {"trace.npz": trace.to_bytes()})
        return trace

    def run_file(self, engine: str) -> Path:
        """Return where :meth:`simulate` keeps the Trace of an engine."""
        return self.folder / "runs" / engine / "trace.npz"

    def build_folder(self, target: str) -> Path:
        """Return where :meth:`build` keeps what it makes for a board or device."""
        return self.folder / "fpga" / target_named(target)

    def verify(
        self,
        samples: Samples,
        engines: Sequence[str],
        *,
        netlist_samples: int = 20,
        progress: Callable[[str, int, int], None] = lambda engine, done, samples: None,
        waves: Callable[[str], None] | None = None,
    ) -> Verification:
        """Run all engines on samples and keep the results; see :func:`verify`.

        ``waves`` is told where the waveform of an engine that differs is; without it there is none.
        """
        compiled = self.load()

        def differs(engine: str, part: Samples, difference: Difference) -> None:
            if waves:
                path = write_waves(compiled, part, engine, difference, self.folder)
                waves(f"{engine}: waveform of the ticks around the first difference: {path}")

        with writing(self.folder):
            result, traces = verify(
                compiled,
                samples,
                engines,
                folder=self.folder,
                netlist_samples=netlist_samples,
                progress=progress,
                differs=differs,
            )
            write_verification(
                self.folder / "verification", compiled, samples, result, traces, self.command
            )
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
            Of :func:`targets`.
        samples : Samples
            Needed for a board: sample number ``sample`` is stored in the image.
        seeds : sequence of int
            Tried until one meets the board's clock, or ``target_mhz`` in a bare device.
        """
        target = target_named(target)
        compiled = self.load()
        folder = self.build_folder(target)
        options: dict[str, Any] = {"seeds": seeds, "command": self.command, "progress": progress}
        if target in devices():
            device = device_named(target)
            require_fit(compiled.chip, device)
            chip, inputs = self._build_inputs(compiled)
            options |= {"target_mhz": target_mhz, "enough_mhz": target_mhz, "inputs": inputs}
            with writing(self.folder):
                return build_out_of_context(chip, "chip", device, folder, **options)
        board = board_named(target)
        if samples is None:
            raise SpikeletError(
                f"the image for {target} stores a sample, and none was given",
                remedy="give a samples file",
            )
        stored = stored_samples(compiled, samples, sample)
        memories = image_memories(compiled.chip, stored)
        require_fit(compiled.chip, device_named(board.device), memories)
        _, inputs = self._build_inputs(compiled)
        top = BoardTop(SelfTest(Chip(compiled.chip), compiled.chip, stored), board)
        inputs |= {name: compiled.digests[name] for name in ("chip contents", "chip mapping")}
        inputs["stored sample"] = digest_of(samples.spikes[sample])
        with writing(self.folder):
            verilog = to_verilog(top, "top")
            return build_bitstream(verilog, "top", board, folder, inputs=inputs, **options)

    def _build_inputs(self, compiled: CompiledNetwork) -> tuple[str, dict[str, str]]:
        """Return the chip's Verilog, and what every build is made of."""
        chip = to_verilog(Chip(compiled.chip), "chip")
        return chip, {"chip structure": compiled.chip.digest, CHIP_VERILOG: digest_of(chip)}

    def report(self, sample: int = 0, state: str = "v") -> tuple[Path, list[OutOfDate]]:
        """Write the HTML page of all that belongs to the compiled network.

        Returns
        -------
        Path
            Of the page.
        list of OutOfDate
            What is not shown, since it was made of something else.
        """
        compiled = self.load()
        kept = read_verification(self.folder / "verification", self._present(compiled))
        builds, old_builds = self._kept_builds(compiled)
        old = [*self._own(), *kept.out_of_date, *self._old_runs(compiled), *old_builds]
        made = [*self._compiled_records(), *kept.made, *(build.made for build in builds)]
        with writing(self.folder):
            page = write_report(
                self.folder / "report",
                compiled=compiled,
                samples=kept.samples,
                verification=kept.verification,
                trace=kept.trace,
                fpga=builds,
                sample=sample,
                state=state,
                made=[*made, Artefact("report", {}, command=self.command)],
                out_of_date=old,
            )
        return page, old

    def _compiled_records(self) -> list[Artefact]:
        made = Artefact.load(self.folder / "compiled")
        return [made] if made else []

    def _own(self) -> list[OutOfDate]:
        """Return whether the network's file was changed since it was compiled."""
        found = [made.out_of_date({}) for made in self._compiled_records()]
        return [old for old in found if old]

    def _present(self, compiled: CompiledNetwork) -> dict[str, str]:
        """Return the digests of what is compiled now, by role."""
        rtl = Artefact.load(self.folder / "rtl")
        return {**(rtl.inputs if rtl else {}), **compiled.digests}

    def _old_runs(self, compiled: CompiledNetwork) -> Iterator[OutOfDate]:
        for folder in sorted((self.folder / "runs").glob("*/")):
            made = Artefact.load(folder)
            old = made and made.out_of_date(self._present(compiled), engine_tools(folder.name))
            if old:
                yield old

    def _kept_builds(self, compiled: CompiledNetwork) -> tuple[list[FpgaReport], list[OutOfDate]]:
        """Return the FPGA builds of this network, and those of others."""
        builds, old = [], []
        for path in sorted((self.folder / "fpga").glob(f"*/{REPORT}")):
            try:
                report = FpgaReport.load(path.parent)
            except SpikeletError as error:
                made = Artefact.load(path.parent)
                command = made.command if made else ""
                what = f"FPGA build for {path.parent.name}"
                old.append(OutOfDate(what, (str(error.args[0]),), command))
                continue
            tools = device_named(report.device).family.tool_versions()
            found = report.made.out_of_date(self._present(compiled), tools)
            if found:
                old.append(found)
            else:
                builds.append(report)
        return builds, old


def _chip_files(
    compiled: CompiledNetwork, calibration: Samples | None, top: str
) -> tuple[str, dict[str, bytes]]:
    """Return the chip's Verilog, and the contents of all its files by name."""
    run = record_run(compiled, calibration.spikes if calibration else None, top)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        verilog = write_chip(
            *(compiled.chip, compiled.image, compiled.name, folder),
            top=top,
            run=run,
            arch=fusesoc_arch(compiled.chip),
        )
        return verilog, {path.name: path.read_bytes() for path in folder.iterdir()}


def targets() -> tuple[str, ...]:
    """Return what a chip can be built for: boards, and devices out of context."""
    return (*BOARDS, *devices())


def target_named(name: str) -> str:
    """Return the target called ``name``, in any case; SpikeletError lists the names otherwise."""
    for target in targets():
        if target.casefold() == name.casefold():
            return target
    raise SpikeletError(f"target must be one of {', '.join(targets())}, not {name!r}")


def require_target(compiled: CompiledNetwork, target: str) -> FitReport:
    """Return the fit check for a target of :func:`targets`; SpikeletError if it does not fit.

    For a board the program ROM of its image counts too, but not yet what a sample adds: the ROM of
    its events, and what it is compared with. :meth:`Project.build` counts all.
    """
    if target in devices():
        return require_fit(compiled.chip, device_named(target))
    image = (program_memory(program_words(compiled.image.program(compiled.chip))),)
    return require_fit(compiled.chip, device_named(board_named(target).device), image)
