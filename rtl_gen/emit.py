"""From components to files: Verilog, memory map, loading program and a FuseSoC core file.

No twin in golden, which has nothing to build.
"""

import json
import tempfile
from pathlib import Path

from amaranth.lib import wiring

from rtl_gen.chip import Chip
from rtl_gen.elaborate import to_rtlil
from rtl_gen.joined_chips import JoinedChips, whole_chip
from rtl_gen.shared_modules import share_modules
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
description: "Spikelet chip {digest}: {n_cores} cores on a {width}x{height} {topology}{cut}"
filesets:
  rtl:
    files: [chip.v]
    file_type: verilogSource-2005
  images:
    files:
      - program.hex: {{file_type: user, copyto: program.hex}}
      - memory_map.json: {{file_type: user, copyto: memory_map.json}}
{part_files}targets:
  default: &default
    filesets: [rtl, images]
    toplevel: chip
  lint:
    <<: *default
    default_tool: verilator
    tools: {{verilator: {{mode: lint-only}}}}
{part_targets}"""

_PART_FILES = """\
  {part}:
    files: [{part}.v]
    file_type: verilogSource-2005
"""

_PART_TARGET = """\
  {part}:
    filesets: [{part}, images]
    toplevel: {part}
"""


def to_verilog(component: wiring.Component, name: str) -> str:
    """Return a component as Verilog-2005 with ``name`` as its top module."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        text = share_modules(to_rtlil(component, name))
        (folder / "design.il").write_text(text)
        run_yosys(_SCRIPT, folder)
        return (folder / "design.v").read_text()


def write_chip(chip: ChipParams, image: ChipImage, name: str, folder: Path) -> str:
    """Write a chip's files to ``folder`` and return the Verilog of the whole.

    ``chip.v``; ``memory_map.json``, where everything is found through the configuration port;
    ``program.hex``, the configuration writes that load the image, a line ``address data`` each in
    hexadecimal; and ``NAME.core``, which describes them to FuseSoC. Of a chip that is cut into
    several also ``chip_X_Y.v``, each of them alone; ``chip.v`` is all of them, joined.
    """
    component = whole_chip(chip)
    parts: dict[str, str] = {}
    if isinstance(component, JoinedChips):
        for x, y in component.parts:
            parts[f"chip_{x}_{y}"] = to_verilog(Chip(chip, (x, y)), f"chip_{x}_{y}")
    verilog = to_verilog(component, "chip")
    program = "".join(f"{address:08x} {data:08x}\n" for address, data in image.program(chip))
    files = {
        "chip.v": verilog,
        "memory_map.json": json.dumps(describe(chip), indent=1),
        "program.hex": program,
        f"{name}.core": _fusesoc_core(chip, name, list(parts)),
        **{f"{part}.v": text for part, text in parts.items()},
    }
    for file_name, text in files.items():
        with AtomicFile(folder / file_name) as file:
            file.write(text.encode())
    return verilog


def _fusesoc_core(chip: ChipParams, name: str, parts: list[str]) -> str:
    """Return the description for FuseSoC: a target for the whole, and one for each part."""
    return _FUSESOC_CORE.format(
        name=name,
        digest=chip.digest[:8],
        n_cores=len(chip.cores),
        width=chip.width,
        height=chip.height,
        topology=chip.topology,
        cut=f", cut into {len(parts)} chips" if parts else "",
        part_files="".join(_PART_FILES.format(part=part) for part in parts),
        part_targets="".join(_PART_TARGET.format(part=part) for part in parts),
    )
