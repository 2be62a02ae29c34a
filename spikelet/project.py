"""A project folder: what each stage leaves there for the next.

==================  ===============================================================
``compiled/``       the compiled network
``rtl/``            Verilog, memory map, loading program, FuseSoC core file, testbenches and the
                    run of golden that they replay
``runs/ENGINE/``    what ``spikelet run`` ran
``verification/``   results of each engine (``verification_files.py``)
``netlist-FAMILY/`` netlists, as simulated
``epochs/NUMBER/``  snapshot and counts at the end of each epoch of learning, to resume from
``learned/``        what ``spikelet learn`` learned (``learn.py``)
``fpga/TARGET/``    bitstream, logs and report of each board or device
``report/``         the HTML page and its pictures
==================  ===============================================================

Each but the report holds a record of what it was made of. What was made of another network than
``compiled/`` is never used: it is named, with the command that makes it anew.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from spikelet.compiler.compile import Source, compile_network
from spikelet.compiler.compiled import COMPILED, CompiledNetwork
from spikelet.description.artefact import Artefact, OutOfDate, digest_of, digests_of_files
from spikelet.description.chip.state import ChipState
from spikelet.description.errors import SpikeletError
from spikelet.description.run.recording import Difference
from spikelet.description.versions import package_versions
from spikelet.fpga.flow import FpgaReport
from spikelet.locked import writing
from spikelet.reports.report import write_report
from spikelet.rtl_gen.emit import check_top
from spikelet.runs.drift import drift
from spikelet.runs.engines import engine_named, engine_tools
from spikelet.runs.epochs import Epochs
from spikelet.runs.hardware import chip_verilog
from spikelet.runs.learn import LearningRun, learn_from, making_of, read_learned
from spikelet.runs.learning_warnings import learning_warnings
from spikelet.runs.run import RECORDING_FILE, Run, run
from spikelet.runs.verification_files import read_verification, write_verification
from spikelet.runs.verify import Verification, verify
from spikelet.runs.wanted import CHIP_VERILOG, EMITTED_VERILOG
from spikelet.runs.waves import write_waves
from spikelet.samples.plastic_samples import LearningSamples
from spikelet.samples.samples import Samples
from spikelet.targets import build_for, build_place, chip_files, kept_builds, target_named

__all__ = ["Learned", "Project", "build", "learn", "opened", "report"]


@dataclass(frozen=True)
class Learned:
    """What :meth:`Project.learn` made: with what looks wrong in it, and the page."""

    run: LearningRun
    verification: Verification | None
    warnings: list[str]
    report: Path


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
            self.keep(compiled, network, calibration)
            verilog, contents = chip_files(compiled, calibration, top)
            plain = verilog if top == "chip" else chip_verilog(compiled.chip)
            verilogs = {CHIP_VERILOG: digest_of(plain), EMITTED_VERILOG: digest_of(verilog)}
            Artefact(
                "chip files",
                {**compiled.digests, **verilogs},
                options={"top": top},
                tools=package_versions("spikelet", "amaranth", "pyosys"),
                command=self.command,
            ).write(self.folder / "rtl", contents)
            return self._out_of_date(compiled)

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
        return self._out_of_date(self.load())

    def _out_of_date(self, compiled: CompiledNetwork) -> list[OutOfDate]:
        present = self._present(compiled)
        kept = read_verification(self.folder / "verification", present)
        _, old = kept_builds(self.folder, present)
        return [*self._own(), *kept.out_of_date, *self._old_runs(present), *old]

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
                network_file=self._network_file(),
                differs=differs,
                **options,
            )
            write_verification(
                self.folder / "verification", compiled, samples, result, self.command
            )
        return result

    def build(self, target: str, samples: Samples | None = None, **options: Any) -> FpgaReport:
        """Build for a board or device; see :func:`build_for`."""
        target, compiled = target_named(target), self.load()
        return build_for(target, compiled, self.folder, samples, command=self.command, **options)

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
        progress: Callable[[str, int, int], None] = lambda what, done, total: None,
    ) -> Learned:
        """Let the network learn from samples; keep and report what it learned.

        Parameters
        ----------
        samples : LearningSamples
        engine, epochs, learning
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
        begun = None if start is None else ChipState.load(start)
        if begun is not None:
            begun.check(compiled.chip)
        engine_named(engine)
        making = making_of(compiled, samples, engine, learning, start, self.command)
        with writing(self.folder):
            kept = Epochs(self.folder / "epochs", making)
            if resume:
                kept.check_resumable(self.folder)
            else:
                kept.clear()
            verification = None
            if verify:
                verification = self.verify(
                    samples.first(verify),
                    ("rtl",),
                    learning=learning,
                    start=begun,
                    progress=lambda name, *counts: progress(f"verify {name}", *counts),
                )
            learned = learn_from(
                compiled,
                samples,
                engine=engine,
                epochs=epochs,
                learning=learning,
                start=begun,
                kept=kept,
                folder=self.folder,
                progress=progress,
            )
            made = replace(making, options={**making.options, "epochs": epochs})
            made.write(self.folder / "learned", learned.contents())
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
        compiled = self.load()
        present = self._present(compiled)
        kept = read_verification(self.folder / "verification", present)
        builds, old_builds = kept_builds(self.folder, present)
        learned, learned_made, old_learned = read_learned(self.folder / "learned", compiled)
        old = [*self._own(), *kept.out_of_date, *self._old_runs(present), *old_builds, *old_learned]
        made = [*self._compiled_records(), *kept.made, *(build.made for build in builds)]
        made += learned_made
        with writing(self.folder):
            page = write_report(
                self.folder / "report",
                compiled=compiled,
                samples=kept.samples,
                verification=kept.verification,
                trace=kept.trace,
                fpga=builds,
                learned=learned,
                warnings=learning_warnings(learned) if learned else (),
                sample=sample,
                state=state,
                made=[*made, Artefact("report", {}, command=self.command)],
                out_of_date=old,
                drifts=drift(compiled, kept.samples) if kept.samples else (),
            )
        return page, old

    def _compiled_records(self) -> list[Artefact]:
        made = Artefact.load(self.folder / "compiled")
        return [made] if made else []

    def _network_file(self) -> Path | None:
        """Return the file that the network was compiled from, unless it was changed since."""
        made = None if self._own() else next(iter(self._compiled_records()), None)
        return (
            Path(made.sources["network file"]) if made and "network file" in made.sources else None
        )

    def _own(self) -> list[OutOfDate]:
        """Return whether the network's file was changed since it was compiled."""
        return [old for made in self._compiled_records() if (old := made.out_of_date({}))]

    def _present(self, compiled: CompiledNetwork) -> dict[str, str]:
        """Return the digests of what is compiled now, by role."""
        rtl = Artefact.load(self.folder / "rtl")
        verilogs = (CHIP_VERILOG, EMITTED_VERILOG)
        if not rtl or rtl.inputs.get("chip structure") != compiled.chip.digest:
            return compiled.digests
        return {**{role: rtl.inputs[role] for role in verilogs}, **compiled.digests}

    def _old_runs(self, present: dict[str, str]) -> Iterator[OutOfDate]:
        for folder in sorted((self.folder / "runs").glob("*/")):
            made = Artefact.load(folder)
            old = made and made.out_of_date(present, engine_tools(folder.name))
            if old:
                yield old


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


def build(
    source: Source,
    target: str,
    samples: Samples | None = None,
    *,
    folder: Path | None = None,
    **options: Any,
) -> FpgaReport:
    """Build a network for a board or device; see :func:`opened` and :meth:`Project.build`."""
    return opened(source, folder).build(target, samples, **options)


def report(source: Source, *, folder: Path | None = None, sample: int = 0) -> Path:
    """Write one HTML page of a network; see :func:`opened` and :meth:`Project.report`."""
    return opened(source, folder).report(sample)[0]


def learn(
    source: Source, samples: LearningSamples, *, folder: Path | None = None, **options: Any
) -> Learned:
    """Let a network learn from samples; see :func:`opened` and :meth:`Project.learn`."""
    return opened(source, folder).learn(samples, **options)
