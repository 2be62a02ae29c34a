"""A project folder: what each stage leaves there for the next.

==================  ===============================================================
``compiled/``       the compiled network
``rtl/``            Verilog, memory map, loading program, FuseSoC core file, testbenches and the
                    run of golden that they replay
``runs/ENGINE/``    what ``spikelet run`` ran
``verification/``   results of each engine (``verification_files.py``)
``netlist-FAMILY/`` netlists, as simulated; ``netlist-cells/``: of standard cells
``epochs/NUMBER/``  snapshot and counts at the end of each epoch of learning, to resume from
``learned/``        what ``spikelet learn`` learned (``learn.py``)
``levels/BOARD/``   what ``spikelet verify --level`` found (``level_files.py``)
``fpga/TARGET/``    bitstream, logs and report of each board or device
``report/``         the HTML page and its pictures
==================  ===============================================================

Each but the report holds a record of what it was made of. What was made of another network than
``compiled/`` is never used: it is named, with the command that makes it anew.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spikelet.compiler.compile import Source, compile_network
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.artefact import Artefact, OutOfDate, digest_of, digests_of_files
from spikelet.description.chip.compiled_files import COMPILED
from spikelet.description.chip.state import ChipState
from spikelet.description.errors import SpikeletError
from spikelet.description.run.recording import Difference
from spikelet.description.versions import package_versions
from spikelet.fpga.flow import FpgaReport
from spikelet.locked import writing
from spikelet.project_learning import Learned, learn_in
from spikelet.project_records import network_file, old_parts
from spikelet.project_report import project_report
from spikelet.rtl_gen.bus_chip import NATIVE, check_ports
from spikelet.rtl_gen.emit import check_top
from spikelet.runs.engines import engine_named, engine_tools
from spikelet.runs.hardware import chip_verilog
from spikelet.runs.learning_warnings import learning_warnings
from spikelet.runs.level_files import write_proof
from spikelet.runs.levels import Level, Proof, board_levels
from spikelet.runs.run import run
from spikelet.runs.run_result import RECORDING_FILE, Run
from spikelet.runs.verification import Verification
from spikelet.runs.verification_files import write_verification
from spikelet.runs.verify import verify
from spikelet.runs.wanted import CHIP_VERILOG, EMITTED_VERILOG
from spikelet.runs.waves import write_waves
from spikelet.samples.plastic_samples import LearningSamples
from spikelet.samples.samples import Samples
from spikelet.targets import (
    build_for,
    build_place,
    built_board,
    chip_files,
    patch_for,
    target_named,
)

__all__ = ["Project", "opened"]


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
        ports: str = NATIVE,
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
        ports : str
            Of :data:`~spikelet.rtl_gen.bus_chip.PORTS`.

        Returns
        -------
        list of OutOfDate
            What in the folder was made of another network.
        """
        check_top(top)
        check_ports(ports)
        with writing(self.folder):
            self.keep(compiled, network, calibration)
            verilog, contents = chip_files(compiled, calibration, top, ports)
            plain = verilog if top == "chip" else chip_verilog(compiled.chip)
            verilogs = {CHIP_VERILOG: digest_of(plain), EMITTED_VERILOG: digest_of(verilog)}
            Artefact(
                "chip files",
                {**compiled.digests, **verilogs},
                options={"top": top, "ports": ports},
                tools=package_versions("spikelet", "amaranth", "pyosys"),
                command=self.command,
            ).write(self.folder / "rtl", contents)
            return old_parts(self.folder, compiled)

    def keep(
        self, compiled: CompiledNetwork, network: Path | None, calibration: Samples | None = None
    ) -> None:
        """Keep a compiled network, as :meth:`save`, without the chip's files."""
        file = network if network and network.is_file() else None
        shown = calibration.path if calibration else None
        files = {"network file": file, "calibration file": shown}
        inputs, sources = digests_of_files(files)
        tools = package_versions("spikelet", "numpy", "scipy", "pymetis")
        made = Artefact(COMPILED, inputs, tools=tools, command=self.command, sources=sources)
        compiled.save(self.folder / "compiled", made)

    def load(self) -> CompiledNetwork:
        """Return the compiled network."""
        return CompiledNetwork.load(self.folder / "compiled")

    def out_of_date(self) -> list[OutOfDate]:
        """Return what in the folder was made of something else than what is there now."""
        return old_parts(self.folder, self.load())

    def run(
        self,
        samples: Samples,
        engine: str = "golden",
        *,
        record: Sequence[str] = ("spikes", "states"),
        **options: Any,
    ) -> Run:
        """Run samples on one engine and keep the Recording in ``runs/ENGINE``; see :func:`run`."""
        compiled = self.load()
        engine_named(engine)
        if compiled.network.floats:
            samples.check_labels(compiled.network.n_outputs)
        with writing(self.folder):
            ran = run(compiled, samples, engine, record=record, folder=self.folder, **options)
            inputs, sources = digests_of_files({"samples file": samples.path})
            trace = ran.recording
            Artefact(
                f"run of {engine}",
                {**compiled.digests, "samples": samples.digest, **inputs},
                options={
                    "samples": trace.samples,
                    "ticks": trace.ticks,
                    **({} if trace.ticks_run is None else {"early_stop": True}),
                },
                tools=engine_tools(engine),
                command=self.command,
                sources=sources,
            ).write(self.run_file(engine).parent, {RECORDING_FILE: trace.to_bytes()})
        return ran

    def run_file(self, engine: str) -> Path:
        """Return where :meth:`run` keeps the Recording of an engine."""
        return self.folder / "runs" / engine / RECORDING_FILE

    def build_folder(self, target: str, image: str | None = None) -> Path:
        """Return where :meth:`build` keeps what it makes for a board or device."""
        return self.folder / build_place(target_named(target), image)

    def verify(
        self,
        samples: Samples,
        engines: Sequence[str],
        *,
        waves: Callable[[str], None] | None = None,
        **options: Any,
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
            result = verify(
                compiled,
                samples,
                engines,
                folder=self.folder,
                network_file=network_file(self.folder),
                differs=differs,
                **options,
            )
            write_verification(
                self.folder / "verification", compiled, samples, result, self.command
            )
        return result

    def prove(
        self,
        samples: Samples,
        target: str,
        last: str,
        verification: Verification,
        *,
        sample: int = 0,
        progress: Callable[[str], None] = lambda line: None,
    ) -> Proof:
        """Compare the levels of a board's build down to the bitstream, and keep the result.

        Parameters
        ----------
        samples : Samples
            All, as in :meth:`build`.
        target : str
            A board whose self-test was built.
        last : str
            Of :data:`spikelet.runs.levels.LEVELS`.
        verification : Verification
            Of RTL, whose results are the first levels.
        sample : int
            The first sample that the image stores.

        Raises
        ------
        SpikeletError
            As :func:`spikelet.targets.built_board` and :func:`spikelet.runs.levels.board_levels`.
        """
        target, compiled = target_named(target), self.load()
        rtl = next(engine for engine in verification.engines if engine.engine == "rtl")
        words, found = ", ".join(rtl.compared), rtl.difference or ""
        levels = [Level("rtl", f"{words} with golden's", rtl.equal, found, rtl.samples)]
        built = None
        with writing(self.folder):
            if last != "rtl":
                built, count = built_board(target, compiled, self.folder, samples, sample)
                levels += board_levels(built, count, last, progress)
            proof = Proof(target, tuple(levels))
            bitstream = built.folder / built.family.bitstream_file if built else None
            write_proof(self.folder / "levels", compiled, proof, bitstream, self.command)
        return proof

    def build(self, target: str, samples: Samples | None = None, **options: Any) -> FpgaReport:
        """Build for a board or device; see :func:`build_for`."""
        target, compiled = target_named(target), self.load()
        return build_for(target, compiled, self.folder, samples, command=self.command, **options)

    def patch(
        self, target: str, samples: Samples | None, built: Path, **options: Any
    ) -> FpgaReport:
        """Put the network into a build of another of its structure; see :func:`patch_for`."""
        target, compiled = target_named(target), self.load()
        options["command"] = self.command
        return patch_for(target, compiled, self.folder, samples, built, **options)

    def learn(
        self,
        samples: LearningSamples,
        *,
        engine: str = "golden",
        epochs: int = 1,
        learning: bool = True,
        start: Path | None = None,
        resume: bool = False,
        verify: int = 0,
        liberty: Path | None = None,
        progress: Callable[[str, int, int], None] = lambda what, done, total: None,
    ) -> Learned:
        """Let the network learn from samples; keep and report what it learned.

        Parameters
        ----------
        samples : LearningSamples
        engine, epochs, learning, liberty
            As for :func:`learn_from`.
        start : Path or None
            A snapshot to begin with in the place of the network as compiled.
        resume : bool
            Go on behind the last epoch that an earlier call, for the same run, left in the folder;
            the result is the same, bit for bit, as without the interruption.
        verify : int
            So many samples also run on golden and RTL, which are compared; 0: none.

        Raises
        ------
        SpikeletError
            If a part does not fit the others, there is nothing to resume, the folder cannot be
            written, or another process is writing there.
        """
        compiled = self.load()
        if verify < 0:
            raise SpikeletError(f"learn: verify must be 0 or more, not {verify}")

        def verified(begun: ChipState | None) -> Verification | None:
            if not verify:
                return None
            return self.verify(
                samples.first(verify),
                ("rtl",),
                learning=learning,
                start=begun,
                progress=lambda name, *counts: progress(f"verify {name}", *counts),
            )

        with writing(self.folder):
            learned, verification = learn_in(
                *(self.folder, compiled, samples),
                engine=engine,
                epochs=epochs,
                learning=learning,
                start=start,
                resume=resume,
                command=self.command,
                verified=verified,
                progress=progress,
                liberty=liberty,
            )
            page, _ = self.report()
        return Learned(learned, verification, learning_warnings(learned), page)

    def report(self, sample: int = 0, state: str = "v") -> tuple[Path, list[OutOfDate]]:
        """Write the HTML page of all that belongs to the compiled network.

        Returns
        -------
        Path
            Of the page.
        list of OutOfDate
            What is not shown, since it was made of something else.
        """
        return project_report(
            self.folder, self.load(), sample=sample, state=state, command=self.command
        )


def opened(
    source: Source, folder: Path | None, command: str = "", seed: int | None = None
) -> Project:
    """Return the project of a folder, or the one that a network is compiled into.

    A folder that holds the network of the same NIR file, compiled with whatever options, is used as
    it is; a TOML file says all by itself, and is compiled again.

    Parameters
    ----------
    source : path or network
        A project folder, or what :func:`compile_network` takes.
    folder : Path or None
        Of the project; needed unless ``source`` is one.
    command : str
    seed : int or None
        As for :func:`compile_network`.

    Raises
    ------
    SpikeletError
        If there is no folder to work in, or the network cannot be compiled.
    """
    path = Path(source) if isinstance(source, str | Path) else None
    if path and path.is_dir() and folder in (None, path):
        return Project(path, command)
    if folder is None:
        if path and not path.exists():
            raise SpikeletError(f"{path} does not exist", remedy="give a network or project folder")
        raise SpikeletError(
            f"{path or 'the network'} is no project folder, and there is none to work in",
            remedy="name one: -o FOLDER, or folder= in Python",
        )
    project = Project(folder, command)
    if path and path.suffix.lower() != ".toml":
        made = Artefact.load(folder / "compiled")
        present = digests_of_files({"network file": path})[0] if path.is_file() else {}
        if made and present.items() and present.items() <= made.inputs.items():
            return project
    with writing(folder):
        project.keep(compile_network(source, seed=seed), path)
    return project
