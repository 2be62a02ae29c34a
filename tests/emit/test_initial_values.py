"""Initial values of large memories: in pieces, and the same ones."""

import json
import re
from pathlib import Path

from amaranth import Module
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from spikelet.description.yosys import run_yosys
from spikelet.rtl_gen.emit import to_verilog
from spikelet.rtl_gen.initial_values import in_pieces

CONTENTS = {5: 7, 700: 1, 701: 255, 1023: 9}
WORDS = [CONTENTS.get(place, 0) for place in range(1024)]
ONES = [0xA5] * 513


class _Memories(wiring.Component):
    """Two memories with initial values."""

    def __init__(self) -> None:
        super().__init__({"address": In(10), "data": Out(8), "ones": Out(8)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.memory = memory = Memory(shape=8, depth=len(WORDS), init=WORDS)
        m.submodules.ones = ones = Memory(shape=8, depth=len(ONES), init=ONES)
        for port, out in ((memory.read_port(), self.data), (ones.read_port(), self.ones)):
            m.d.comb += [port.addr.eq(self.address), out.eq(port.data)]
        return m


def _contents(verilog: str, folder: Path) -> dict[str, str]:
    """Return the initial values of memories by name, as bits, as Yosys reads them."""
    (folder / "design.v").write_text(verilog)
    script = "read_verilog design.v\nproc\nmemory_collect\nflatten\nwrite_json design.json\n"
    run_yosys(script, folder)
    cells = json.loads((folder / "design.json").read_text())["modules"]["top"]["cells"].values()
    kept = [cell["parameters"] for cell in cells if cell["type"] == "$mem_v2"]
    return {parameters["MEMID"]: parameters["INIT"] for parameters in kept}


def test_the_same_contents_in_fewer_lines(tmp_path: Path) -> None:
    """What Yosys reads is what was written, word for word, without a line for each."""
    verilog = to_verilog(_Memories(), "top")
    assert len(re.findall(r"\[\d+\] = ", verilog)) == 3 * 256
    assert verilog.count("for (word = ") == 1 + 3
    found = sorted(_contents(verilog, tmp_path).values(), key=len)
    written = ["".join(f"{word:08b}" for word in reversed(words)) for words in (ONES, WORDS)]
    assert found == written


def test_small_memories_stay_as_they_are() -> None:
    """One block, and what is no memory, is left alone."""
    block = "  initial begin\n" + "".join(f"    m[{i}] = 4'h0;\n" for i in range(256)) + "  end\n"
    assert in_pieces(block) == block
    other = "  initial begin\n    q = 1'h0;\n  end\n"
    assert in_pieces(other) == other
