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

# As amaranth.back.verilog does, but with the same Yosys that synthesises, and without signals of no
# bits, which in Verilog would become [-1:0], two bits.
_SCRIPT = """\
read_rtlil design.il
proc -nomux -norom
memory_collect
delete w:* s:0 %i
write_verilog -norename design.v
"""

_FUSESOC_CORE = """\
CAPI=2:
name: "spikelet:chips:{name}:0"
description: "Spikelet chip {digest}: {n_cores} cores on a {width}x{height} mesh"
filesets:
  rtl:
    files: [chip.v]
    file_type: verilogSource-2005
  images:
    files:
      - program.hex: {{file_type: user, copyto: program.hex}}
      - memory_map.json: {{file_type: user, copyto: memory_map.json}}
targets:
  default: &default
    filesets: [rtl, images]
    toplevel: chip
  lint:
    <<: *default
    default_tool: verilator
    tools: {{verilator: {{mode: lint-only}}}}
"""


def to_verilog(component: wiring.Component, name: str) -> str:
    """Return a component as Verilog-2005 with ``name`` as its top module."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        text = rtlil.convert(component, name=name, emit_src=False)
        (folder / "design.il").write_text(text)
        run_yosys(_SCRIPT, folder)
        return (folder / "design.v").read_text()


def write_chip(chip: ChipParams, image: ChipImage, name: str, folder: Path) -> str:
    """Write a chip's files to ``folder`` and return its Verilog.

    ``chip.v``; ``memory_map.json``, where everything is found through the configuration port;
    ``program.hex``, the configuration writes that load the image, a line ``address data`` each in
    hexadecimal; and ``NAME.core``, which describes them to FuseSoC.
    """
    verilog = to_verilog(Chip(chip), "chip")
    program = "".join(f"{address:08x} {data:08x}\n" for address, data in image.program(chip))
    fusesoc = _FUSESOC_CORE.format(
        name=name,
        digest=chip.digest[:8],
        n_cores=len(chip.cores),
        width=chip.mesh_width,
        height=chip.mesh_height,
    )
    for file_name, text in (
        ("chip.v", verilog),
        ("memory_map.json", json.dumps(describe(chip), indent=1)),
        ("program.hex", program),
        (f"{name}.core", fusesoc),
    ):
        with AtomicFile(folder / file_name) as file:
            file.write(text.encode())
    return verilog
