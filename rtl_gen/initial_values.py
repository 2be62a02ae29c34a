"""Initial values of memories in Verilog, in pieces that Yosys reads fast. No twin in golden.

Yosys writes a line for each word, all of a memory in one block; to read a block takes it time in
the square of the lines: minutes for 65,536 of them.
"""

import re

__all__ = ["in_pieces"]

_PIECE = 256
"""Words of a block."""

_BLOCK = re.compile(r"^  initial begin\n((?:    .+\[\d+\] = \d+'h[0-9a-f]+;\n)+)  end\n", re.M)
_WORD = re.compile(r"    (.+)\[(\d+)\] = (\d+'h[0-9a-f]+);\n")


def in_pieces(verilog: str) -> str:
    """Return a design whose memories of more words than a piece begin as before, piece by piece.

    A piece of equal words is a loop; one of others has a line for each, as Yosys writes it.

    Parameters
    ----------
    verilog : str
        As Yosys writes it.
    """
    pieces = 0

    def pieced(block: re.Match[str]) -> str:
        nonlocal pieces
        words = _WORD.findall(block[1])
        if len(words) <= _PIECE:
            return block[0]
        texts = []
        for first in range(0, len(words), _PIECE):
            piece = words[first : first + _PIECE]
            texts.append(_loop(piece, pieces) or _lines(piece))
            pieces += 1
        return "".join(texts)

    return _BLOCK.sub(pieced, verilog)


def _loop(words: list[tuple[str, str, str]], number: int) -> str:
    """Return the block of words that are one value at places one after another; else nothing."""
    memory, first, value = words[0]
    start = int(first)
    if any(word != (memory, str(start + i), value) for i, word in enumerate(words)):
        return ""
    return (
        f"  initial begin : initial_values_{number}\n"
        f"    integer word;\n"
        f"    for (word = {start}; word < {start + len(words)}; word = word + 1)\n"
        f"      {memory}[word] = {value};\n"
        f"  end\n"
    )


def _lines(words: list[tuple[str, str, str]]) -> str:
    lines = "".join(f"    {memory}[{place}] = {value};\n" for memory, place, value in words)
    return f"  initial begin\n{lines}  end\n"
