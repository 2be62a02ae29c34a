"""From components to files: Verilog, memory map, loading program and a FuseSoC core file.

No twin in golden, which has nothing to build.
"""

import json
import re
import tempfile
from pathlib import Path

from amaranth.lib import wiring

from spikelet.description.chip.image import ChipImage
from spikelet.description.chip.memory_map import describe
from spikelet.description.chip.params import ChipParams
from spikelet.description.chip.register_files import register_files
from spikelet.description.errors import SpikeletError
from spikelet.description.files import AtomicFile
from spikelet.description.run.recorded_run import RecordedRun
from spikelet.description.yosys import run_yosys
from spikelet.rtl_gen.bus_chip import NATIVE, BusChip, bus_top, check_ports
from spikelet.rtl_gen.chip import Chip
from spikelet.rtl_gen.elaborate import to_rtlil
from spikelet.rtl_gen.fusesoc import fusesoc_core, safe_name
from spikelet.rtl_gen.initial_values import in_pieces
from spikelet.rtl_gen.joined_chips import JoinedChips, whole_chip
from spikelet.rtl_gen.shared_modules import share_modules
from spikelet.rtl_gen.testbench import replay_files
from spikelet.rtl_gen.verilog_keywords import VERILOG_KEYWORDS

__all__ = ["check_top", "to_verilog", "write_chip"]

# As amaranth.back.verilog does, but with the same Yosys that synthesises, and without signals of no
# bits, which in Verilog would become [-1:0], two bits. Processes become multiplexers, written as
# continuous assignments, which have their value from time 0: an "always @*" waits for a change of
# its inputs, which never comes where they are constant, and its outputs stay x. A multiplexer of
# several cases becomes a function with the name of its cell, which must not begin with a $.
_SCRIPT = """\
read_rtlil design.il
proc -norom
attrmap -remove full_case
opt_expr
opt_clean
rename -enumerate -pattern choice_% t:$pmux
memory_collect
delete w:* s:0 %i
write_verilog -norename design.v
"""

# What has none holds anything after power-on, as in silicon, until the reset or a write.
# Tables are no such memories, and become logic.
_NO_INITIAL_VALUES = """\
memory_collect *.rom_*
memory_map -rom-only *.rom_*
attrmap -remove init
delete t:$meminit t:$meminit_v2
"""

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def to_verilog(
    component: wiring.Component,
    name: str,
    *,
    initial_values: bool = True,
    platform: object = None,
    share: bool = False,
) -> str:
    """Return a component as Verilog-2005 with ``name`` as its top module.

    Parameters
    ----------
    component : Component
    name : str
    initial_values : bool
        Whether registers and memories have those that FPGAs begin with; without them the reset and
        what is written are all that a chip begins with.
    platform : object
    share : bool
        As for :func:`to_rtlil`.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        text = share_modules(to_rtlil(component, name, platform, share=share))
        (folder / "design.il").write_text(text)
        stripped = "" if initial_values else _NO_INITIAL_VALUES
        run_yosys(_SCRIPT.replace("proc -norom\n", f"proc -norom\n{stripped}"), folder)
        return in_pieces((folder / "design.v").read_text())


def check_top(top: str) -> str:
    """Return the name of a top module; SpikeletError unless it can be one in Verilog."""
    remedy = "give letters, digits and underscores, not beginning with a digit, such as my_chip"
    if not _IDENTIFIER.fullmatch(top):
        raise SpikeletError(f"top {top!r} is not a Verilog identifier", remedy=remedy)
    if top in VERILOG_KEYWORDS:
        raise SpikeletError(f"top {top!r} is a keyword of Verilog", remedy=remedy)
    return top


def write_chip(
    chip: ChipParams,
    image: ChipImage,
    name: str,
    folder: Path,
    *,
    top: str = "chip",
    run: RecordedRun | None = None,
    arch: str = "",
    ports: str = NATIVE,
) -> str:
    """Write a chip's files to ``folder`` and return the Verilog of the whole.

    ``chip.v``; ``memory_map.json``, where everything is found through the configuration port, and
    the same in SystemRDL and C as ``TOP.rdl`` and ``TOP.h``;
    ``program.hex``, the configuration writes that load the image, a line ``address data`` each in
    hexadecimal; and ``NAME.core``, which describes them to FuseSoC. Of a chip that is cut into
    several also ``TOP_X_Y.v``, each of them alone; ``chip.v`` is all of them, joined. With a bus,
    ``TOP_PORTS.v``: the module of that name, around the one in ``chip.v``.

    Parameters
    ----------
    chip : ChipParams
    image : ChipImage
    name : str
        Any; ``NAME`` is the :func:`safe_name` of it.
    folder : Path
    top : str
        Name of the top module, with which the name of every module begins, so that several chips
        can be part of one design.
    run : RecordedRun or None
        Golden's run of this chip, image and ``top``; with it a testbench in Verilog, one in cocotb,
        and the files of the run. With a bus the one in Verilog drives it.
    arch : str
        As for :func:`spikelet.rtl_gen.fusesoc.fusesoc_core`.
    ports : str
        Of :data:`~spikelet.rtl_gen.bus_chip.PORTS`.

    Raises
    ------
    SpikeletError
        If ``top`` cannot be the name of a module, there are no such ports, or a tool is missing.
    """
    check_top(top)
    check_ports(ports)
    component = whole_chip(chip)
    parts: dict[str, str] = {}
    if isinstance(component, JoinedChips):
        for x, y in component.parts:
            parts[f"{top}_{x}_{y}"] = to_verilog(Chip(chip, (x, y)), f"{top}_{x}_{y}", share=True)
    verilog = to_verilog(component, top, share=True)
    outer = bus_top(top, ports)
    around = {}
    if outer != top:
        around[f"{outer}.v"] = to_verilog(BusChip(chip, ports, top), outer, share=True)
    program = "".join(f"{address:08x} {data:08x}\n" for address, data in image.program(chip))
    safe = safe_name(name)
    files = {
        "chip.v": verilog,
        "memory_map.json": json.dumps(describe(chip), indent=1),
        "program.hex": program,
        **register_files(chip, top, bus=ports != NATIVE),
        **around,
        f"{safe}.core": fusesoc_core(
            *(chip, safe),
            top=top,
            outer=outer,
            parts=list(parts),
            tested=run is not None,
            arch=arch,
        ),
        **{f"{part}.v": text for part, text in parts.items()},
        **(replay_files(chip, run, ports) if run else {}),
    }
    for file_name, text in files.items():
        with AtomicFile(folder / file_name) as file:
            file.write(text.encode())
    return verilog
