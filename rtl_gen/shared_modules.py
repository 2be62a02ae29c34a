"""Modules that are the same are written once. No twin in golden.

Amaranth elaborates every instance into a module of its own, so a chip of many equal cores would be
as many times as large; and so would be the work of Verilator, which keeps a module that is used
often as one piece of code.
"""

import re

__all__ = ["share_modules"]

_MODULE = re.compile(r"(?:^attribute [^\n]*\n)*^module (\S+)\n.*?^end\n", re.M | re.S)
_INSTANCE = re.compile(r"^  cell (\\\S+) .*?^  end\n", re.M | re.S)
_CONNECTED = re.compile(r"^    connect (\S+) ", re.M)
_UNNAMED = re.compile(r"\\port\$\d+(?=\$)")


def share_modules(rtlil: str) -> str:
    """Return a design with each group of equal modules replaced by its first.

    Parameters
    ----------
    rtlil : str
        Yosys's text format, as Amaranth writes it; a module may stand before or after those it
        uses.
    """
    texts = {found[1]: found[0] for found in _MODULE.finditer(rtlil)}
    # Amaranth numbers unnamed wires, which may be ports, through the whole design.
    numbers: dict[str, dict[str, str]] = {}
    for name, text in texts.items():
        unnamed = dict.fromkeys(_UNNAMED.findall(_INSTANCE.sub("", text)))
        numbers[name] = {wire: f"\\port${index}" for index, wire in enumerate(unnamed)}
    replaced: dict[str, str] = {}
    kept: dict[str, str] = {}

    def share(name: str) -> str:
        """Return the module that stands for ``name``, after all those below it."""
        if name not in replaced:
            own = numbers[name]
            parts = []
            end = 0
            for found in _INSTANCE.finditer(texts[name]):
                parts += [_renumbered(texts[name][end : found.start()], own), instance(found, own)]
                end = found.end()
            shared = "".join([*parts, _renumbered(texts[name][end:], own)])
            body = shared.replace(f"module {name}\n", "module\n", 1)
            replaced[name] = kept.setdefault(body, name)
            texts[name] = shared
        return replaced[name]

    def instance(found: re.Match[str], own: dict[str, str]) -> str:
        """Return an instance; ports are named as in its module, what they connect to as here."""
        name = found[1]
        if name not in texts:
            return _renumbered(found[0], own)
        lines = []
        for line in found[0].replace(f"cell {name} ", f"cell {share(name)} ", 1).splitlines(True):
            port = _CONNECTED.match(line)
            end = port.end() if port else 0
            lines.append(_renumbered(line[:end], numbers[name]) + _renumbered(line[end:], own))
        return "".join(lines)

    for name in list(texts):
        share(name)
    return _MODULE.sub(
        lambda found: texts[found[1]] if replaced[found[1]] == found[1] else "", rtlil
    )


def _renumbered(text: str, numbers: dict[str, str]) -> str:
    return _UNNAMED.sub(lambda found: numbers.get(found[0], found[0]), text)
