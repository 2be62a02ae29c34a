"""Waveforms of the ticks around a difference, from a replay of the sample in which it is."""

import re
import subprocess
import tempfile
from pathlib import Path

from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.errors import SpikeletError
from spikelet.description.run.recording import Difference
from spikelet.rtl_gen.testbench import TESTBENCH, dumping_testbench
from spikelet.runs.hardware import design_of
from spikelet.runs.recorded_run import recorded_run_of
from spikelet.samples.samples import Samples
from spikelet.sim.verilator import build_testbench

__all__ = ["write_waves"]

_TIME_LIMIT = 1800
"""Seconds that the replay may take."""


def write_waves(
    compiled: CompiledNetwork, samples: Samples, engine: str, difference: Difference, folder: Path
) -> Path:
    """Return the path of a waveform (VCD) from the tick before a difference to one after it.

    The sample in which an engine differed from golden is replayed in Verilator, with the Verilog
    that the engine ran, by the testbench that compares every word; what it says stands beside the
    waveform, in a file of the same name that ends with ``.log``.

    Parameters
    ----------
    compiled : CompiledNetwork
    samples : Samples
        What the engine ran.
    engine : str
        Of :func:`engines`.
    difference : Difference
    folder : Path
        The project folder; the file is ``waves/ENGINE.vcd`` in it.

    Raises
    ------
    SpikeletError
        If the engine runs no Verilog, a tool is missing, or the replay writes no waveform.
    """
    verilog = design_of(engine, compiled.chip, folder)
    modules = re.findall(r"(?m)^module (\w+)\(", verilog.text)
    top = "chip" if "chip" in modules else modules[-1]
    sample = samples.spikes[difference.sample]
    # A difference of a whole sample (a counter) is shown from its last tick on.
    ticks = len(sample) + compiled.output_latency
    tick = difference.tick if difference.tick >= 0 else ticks - 1
    stimulus = f"sample {difference.sample}, in which {engine} differs from golden"
    run = recorded_run_of(compiled, stimulus, sample[None, : tick + 2], top)
    waves = folder / "waves" / f"{engine}.vcd"
    waves.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=waves.parent, prefix=".build-") as temporary:
        work = Path(temporary)
        built = work / "built"
        built.mkdir()
        files = dumping_testbench(compiled.chip, run, max(0, tick - 1))
        for name, text in {"chip.v": verilog.text, **files}.items():
            (work / name).write_text(text)
        sources = [work / "chip.v", *verilog.models, work / TESTBENCH]
        program = build_testbench(
            sources, f"{top}_testbench", built, include=verilog.include, waves=True
        )
        done = subprocess.run(
            [program], cwd=work, capture_output=True, text=True, check=False, timeout=_TIME_LIMIT
        )
        waves.with_suffix(".log").write_text(done.stdout + done.stderr)
        if not (work / "waves.vcd").is_file():
            raise SpikeletError(
                f"the replay of sample {difference.sample} on {engine} wrote no waveform",
                remedy=f"see {waves.with_suffix('.log')}",
            )
        (work / "waves.vcd").replace(waves)
    return waves
