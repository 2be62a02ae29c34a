"""Contents of the ECP5's block RAMs: in a configuration, and in the netlist that it was made of."""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

__all__ = ["configured_memories", "netlist_memories"]

_SECTION = re.compile(r"^\.bram_init (\d+)\n((?:[0-9a-f ]+\n)+)", re.M)
_ROWS = 64
_WORDS = 16
_WORD_BITS, _PADDED_BITS = 18, 20

Contents = tuple[int, ...]
"""2,048 numbers of 9 bits."""


def configured_memories(configuration: str) -> Counter[Contents]:
    """Return how often each contents stand in an unpacked configuration."""
    return Counter(
        tuple(int(number, 16) for number in body.split())
        for _, body in _SECTION.findall(configuration)
    )


def netlist_memories(netlist: Mapping[str, Any]) -> Counter[Contents]:
    """Return how often each contents stand in the top module of Yosys's ``netlist.json``.

    A DP16KD has them in 64 parameters ``INITVAL_xx`` of 320 bits: 16 words of 18 bits, each padded
    to 20.
    """
    found: Counter[Contents] = Counter()
    for cell in netlist["cells"].values():
        if cell["type"] != "DP16KD":
            continue
        numbers: list[int] = []
        for row in range(_ROWS):
            text = cell["parameters"].get(f"INITVAL_{row:02X}", "0")
            bits = int(text.replace("x", "0"), 2)
            for word in range(_WORDS):
                value = bits >> _PADDED_BITS * word & (1 << _WORD_BITS) - 1
                numbers += [value & 0x1FF, value >> 9]
        found[tuple(numbers)] += 1
    return found
