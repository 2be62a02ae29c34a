"""The tests that ship beside a chip's Verilog: a self-checking testbench in plain Verilog, and one
in cocotb. No twin in golden, whose recorded run they replay.
"""

from importlib.resources import files

from spikelet.description.packets import flit_packet
from spikelet.description.params import ChipParams
from spikelet.description.recorded_run import RecordedRun

__all__ = ["COCOTB_TEST", "TESTBENCH", "replay_files"]

TESTBENCH, COCOTB_TEST = "testbench.v", "test_chip.py"


def replay_files(chip: ChipParams, run: RecordedRun) -> dict[str, str]:
    """Return the contents of the testbench, the cocotb test and the run's files, by their names."""
    templates = files("rtl_gen") / "templates"
    testbench = (templates / f"{TESTBENCH}.in").read_text()
    for name, value in _values(chip, run).items():
        testbench = testbench.replace(f"@{name}@", value)
    return {
        TESTBENCH: testbench,
        COCOTB_TEST: (templates / f"{COCOTB_TEST}.in").read_text(),
        **run.texts(),
    }


def _values(chip: ChipParams, run: RecordedRun) -> dict[str, str]:
    """Return what stands in the template of the testbench between two @."""
    bits = flit_packet(chip).width
    silent = "" if run.output_spikes else ": the outputs are silent"
    return {
        "TOP": run.top,
        "STIMULUS": run.stimulus,
        "SAMPLES": str(run.samples),
        "TICKS": str(run.ticks),
        "OUTPUT_SPIKES": str(run.output_spikes),
        "SILENT": silent,
        "VALUES": str(run.values),
        "OUTPUTS": str(run.outputs.shape[2]),
        "PROBES": str(len(run.probes)),
        "LAST_PROBES": str(len(run.last_probes)),
        "FLIT_BITS": str(bits),
        "OUTPUT_MASK": f"{bits}'h{run.output_mask:x}",
        "LIMIT": str(run.cycle_limit),
        **{f"{name.upper()}_WORDS": str(size) for name, size in run.sizes.items()},
        **{f"{name.upper()}_SUM": f"{value:08x}" for name, value in run.checksums.items()},
    }
