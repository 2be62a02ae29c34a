"""The tests that ship beside a chip's Verilog: a self-checking testbench in plain Verilog, and one
in cocotb. No twin in golden, whose recorded run they replay.
"""

from importlib.resources import files

from spikelet.description.chip.bus_registers import BUS_REGISTERS, EVENT_WAITS, BusParams
from spikelet.description.chip.packets import flit_packet
from spikelet.description.chip.params import ChipParams
from spikelet.description.run.recorded_run import RecordedRun
from spikelet.rtl_gen.bus_chip import NATIVE, bus_top

__all__ = ["COCOTB_TEST", "TESTBENCH", "dumping_testbench", "replay_files"]

TESTBENCH, COCOTB_TEST = "testbench.v", "test_chip.py"

_FATAL = '$fatal(1, "the chip does not do what golden recorded");'


def replay_files(chip: ChipParams, run: RecordedRun, ports: str = NATIVE) -> dict[str, str]:
    """Return the contents of testbench, cocotb test and the run's files, by their names.

    With a bus, of :data:`~spikelet.rtl_gen.bus_chip.PORTS`, the testbench drives the bus; the
    cocotb test the chip within.
    """
    return {
        TESTBENCH: _filled(chip, run, ports, MOST_FAILURES="10", DUMP="", END=_FATAL),
        COCOTB_TEST: _template(COCOTB_TEST),
        **run.texts(),
    }


def dumping_testbench(chip: ChipParams, run: RecordedRun, first_tick: int) -> dict[str, str]:
    """Return the testbench, and the run's files, of a replay that writes a waveform.

    It begins with ``first_tick`` of the last sample, goes into the file ``waves.vcd``, and holds
    all signals of the chip. No difference ends the replay.
    """
    begins = f"sample == {run.samples - 1} && tick == {first_tick}"
    dump = f'        if ({begins}) begin $dumpfile("waves.vcd"); $dumpvars(0, dut); end\n'
    # $fatal would lose what is not yet written.
    most = str(run.values + 1)
    testbench = _filled(chip, run, NATIVE, MOST_FAILURES=most, DUMP=dump, END="$finish;")
    return {TESTBENCH: testbench, **run.texts()}


def _template(name: str) -> str:
    return (files("spikelet.rtl_gen") / "templates" / f"{name}.in").read_text()


def _filled(chip: ChipParams, run: RecordedRun, ports: str, **more: str) -> str:
    """Return the testbench of a run."""
    testbench = _template(TESTBENCH)
    if ports != NATIVE:
        bus = _template(f"{ports}_driver.v")
        testbench += _template("bus_driver.v").replace("@BUS@\n", bus)
    values = {**_values(chip, run), **_port_values(chip, run.top, ports), **more}
    for name, value in values.items():
        testbench = testbench.replace(f"@{name}@", value)
    return testbench


def _port_values(chip: ChipParams, top: str, ports: str) -> dict[str, str]:
    """Return what of it depends on the ports."""
    if ports == NATIVE:
        return {"OUTER": top, "DUT": top, "SOURCES": "chip.v"}
    params = BusParams.of(chip)
    outer = bus_top(top, ports)
    bits, padding = params.word_bits, 8 * params.event_bytes - params.flit_bits
    return {
        "OUTER": outer,
        "DUT": f"{outer}_driver",
        "SOURCES": f"chip.v {outer}.v",
        "WORD_BITS": str(bits),
        **{
            register.name.upper(): f"{bits}'h{params.address(register.name):x}"
            for register in BUS_REGISTERS
        },
        "EVENT_WAITS": str(EVENT_WAITS),
        "IN_PADDING": f"{padding}'d0, " if padding else "",
        "OUT_BITS": str(8 * params.spike_bytes),
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
        "COUNT": f"(event_out_payload >> {run.count_shift})" if run.count_shift else "1",
        "LIMIT": str(run.cycle_limit),
        **{f"{name.upper()}_WORDS": str(size) for name, size in run.sizes.items()},
        **{f"{name.upper()}_SUM": f"{value:08x}" for name, value in run.checksums.items()},
    }
