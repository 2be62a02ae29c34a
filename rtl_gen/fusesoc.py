"""The description of a chip for FuseSoC, on Edalize's flows. No twin in golden."""

import re
import unicodedata
from collections.abc import Sequence
from zlib import crc32

from spikelet.description.chip.params import ChipParams
from spikelet.description.run.recorded_run import RUN_FILES
from spikelet.description.yosys import LINT_WAIVERS
from spikelet.rtl_gen.testbench import TESTBENCH

__all__ = ["fusesoc_core", "safe_name"]

_CORE = """\
CAPI=2:
name: "spikelet:chips:{name}:0"
description: "Spikelet chip {digest}: {n_cores} cores on a {width}x{height} {topology}{cut}"
filesets:
  rtl:
    files: [{files}]
    file_type: verilogSource-2005
{filesets}targets:
  default:
    filesets: [rtl]
    toplevel: {outer}
  lint:
    filesets: [rtl]
    toplevel: {outer}
    flow: lint
    flow_options:
      tool: verilator
      verilator_options: [{lint}]
{targets}"""

_SYNTH_TARGET = """\
  synth:
    filesets: [rtl]
    toplevel: {outer}
    flow: generic
    flow_options:
      tool: yosys
      arch: {arch}
      output_format: json
"""

_TEST_FILES = """\
  testbench:
    files:
      - {testbench}: {{file_type: verilogSource-2005}}
{run}"""

_RUN_FILE = "      - {file}: {{file_type: user, copyto: {file}}}\n"

_TEST_TARGET = """\
  sim:
    filesets: [rtl, testbench]
    toplevel: {outer}_testbench
    flow: sim
    flow_options:
      tool: icarus
"""

_PART_FILES = """\
  {part}:
    files: [{part}.v]
    file_type: verilogSource-2005
"""

_PART_TARGET = """\
  {part}:
    filesets: [{part}]
    toplevel: {part}
"""


def safe_name(name: str) -> str:
    """Return a name that FuseSoC takes: letters, digits and underscores of ASCII, a letter first.

    FuseSoC passes over a core without a word if a part of its name has anything else. Letters with
    accents become those without; a name of which nothing is left becomes ``chip`` and a checksum.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    word = re.sub(r"[^A-Za-z0-9]+", "_", plain).strip("_")
    if not word:
        return f"chip_{crc32(name.encode()):08x}" if name else "chip"
    return word if word[0].isalpha() else f"chip_{word}"


def fusesoc_core(
    chip: ChipParams,
    name: str,
    *,
    top: str,
    outer: str = "",
    parts: Sequence[str],
    tested: bool,
    arch: str,
) -> str:
    """Return the description: targets ``lint``, ``synth``, ``sim``, and one for each part.

    Parameters
    ----------
    chip : ChipParams
    name : str
        As :func:`safe_name` gives it.
    top : str
        Top module of ``chip.v``.
    outer : str
        The module around it, in a file of its name; empty: none.
    parts : sequence of str
        Modules of a chip that is cut into several, each in a file of its name.
    tested : bool
        Whether a testbench and a recorded run stand beside the Verilog.
    arch : str
        The FPGA family that ``synth`` is for, as Edalize's Yosys names it; empty: no such target.
    """
    waivers = ", ".join(f"-Wno-{warning}" for warning in LINT_WAIVERS)
    outer = outer or top
    filesets, targets = "", _SYNTH_TARGET.format(outer=outer, arch=arch) if arch else ""
    if tested:
        run = "".join(_RUN_FILE.format(file=file) for file in RUN_FILES)
        filesets += _TEST_FILES.format(testbench=TESTBENCH, run=run)
        targets += _TEST_TARGET.format(outer=outer)
    return _CORE.format(
        name=name,
        digest=chip.digest[:8],
        n_cores=len(chip.cores),
        width=chip.width,
        height=chip.height,
        topology=chip.topology,
        cut=f", cut into {len(parts)} chips" if parts else "",
        files="chip.v" if outer == top else f"chip.v, {outer}.v",
        outer=outer,
        lint=f"-Wall, {waivers}",
        filesets=filesets + "".join(_PART_FILES.format(part=part) for part in parts),
        targets=targets + "".join(_PART_TARGET.format(part=part) for part in parts),
    )
