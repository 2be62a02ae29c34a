"""The test of gates that ships beside them: golden's recorded run, replayed in Icarus Verilog."""

from spikelet.description.chip.params import ChipParams
from spikelet.description.run.recorded_run import RecordedRun
from spikelet.rtl_gen.testbench import COCOTB_TEST, replay_files

__all__ = ["gate_replay_files"]

_RUN = """\
#!/bin/sh
# Replays golden's recorded run on the chip, and compares every word: prints PASS, or FAIL.
#
#   ./run.sh          the Verilog
#   ./run.sh gates    the gates; NETLIST=FILE CELLS=FILE names others, such as those after layout
#
# Needs Icarus Verilog. Memory macros are models; MACROS=FILE names others.
set -e
cd "$(dirname "$0")"
chip="../verilog/chip.v ../verilog/memories.v"
case "${{1:-verilog}}" in
verilog) ;;
gates)
    chip="${{NETLIST:-../gates/netlist.v}} ${{CELLS:-../gates/cells.v}}"
    for file in $chip; do
        [ -f "$file" ] || {{ echo "run.sh: there is no $file: give spikelet asic a --liberty, or" \\
            "name a netlist (NETLIST=) and models of its cells (CELLS=)" >&2; exit 1; }}
    done ;;
*) echo "run.sh: verilog or gates, not $1" >&2; exit 1 ;;
esac
iverilog -g2005-sv -s {top}_testbench -o "${{1:-verilog}}.vvp" $chip \\
    "${{MACROS:-../verilog/memory_models.v}}" testbench.v
exec vvp -n "${{1:-verilog}}.vvp"
"""


def gate_replay_files(chip: ChipParams, run: RecordedRun, top: str) -> dict[str, str]:
    """Return the files of the test by name: testbench, run, and ``run.sh``."""
    files = replay_files(chip, run)
    del files[COCOTB_TEST]
    return {**files, "run.sh": _RUN.format(top=top)}
