"""From components to files: Verilog, memory map, loading program and a FuseSoC core file.

No twin in golden, which has nothing to build.
"""

import json
import tempfile
from pathlib import Path

from amaranth.back import rtlil
from amaranth.lib import wiring

from rtl_gen.chip import Chip
from rtl_gen.yosys import run_yosys
from spikelet.description.image import ChipImage
from spikelet.description.memory_map import describe
from spikelet.description.params import ChipParams
from spikelet.description.trace import AtomicFile

__all__ = ["to_verilog", "write_chip"]

# As amaranth.back.verilog does, but with the same Yosys that synthesises.
_SCRIPT = """\
read_rtlil design.il
proc -nomux -norom
memory_collect
write_verilog -norename design.v
"""


def to_verilog(component: wiring.Component, name: str) -> str:
    """Return a component as Verilog-2005 with ``name`` as its top module."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        text = rtlil.convert(component, name=name, emit_src=False)
        (folder / "design.il").write_text(text)
        run_yosys(_SCRIPT, folder)
        return (folder / "design.v").read_text()
