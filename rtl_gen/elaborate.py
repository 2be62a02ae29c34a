"""From components to RTLIL, the text that Yosys reads. No twin in golden: it computes nothing."""

import gc
import re
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from amaranth import ClockSignal, Elaboratable, Instance, ResetSignal, Value
from amaranth.back import rtlil
from amaranth.lib import wiring

__all__ = ["Shared", "to_rtlil"]

_Kinds = dict[tuple[type, Hashable], tuple[str, wiring.Component]]

_kinds: ContextVar[_Kinds | None] = ContextVar("kinds", default=None)

_MODULE = re.compile(r"^module \\(\S+)\n(.*?)^end\n", re.M | re.S)
_PLACEHOLDER = re.compile(r"\\(shared\$\d+)(?= )")
_INSTANCE = re.compile(r"^  cell \\(shared\$\d+) \\(\S+)$", re.M)
_HEAD = re.compile(r"^attribute \\(?:generator|top) .*\n", re.M)


class Shared(Elaboratable):
    """A component that is elaborated once for all that are equal to it, where :func:`to_rtlil` is
    asked for that; otherwise the component itself.

    Parameters
    ----------
    component : Component
        Its only clock domain is ``sync``, in which it has registers that are reset.
    key : Hashable
        All that its elaboration depends on besides its type; the same key, the same module.
    """

    def __init__(self, component: wiring.Component, key: Hashable) -> None:
        self.component = component
        self.key = key

    def elaborate(self, platform: object) -> Elaboratable:
        kinds = _kinds.get()
        if kinds is None:
            return self.component
        kind = type(self.component), self.key
        name, _ = kinds.setdefault(kind, (f"shared${len(kinds)}", self.component))
        self.component._MustUse__used = True  # as elaboration does, for Amaranth's warning
        ports = [("i", "clk", ClockSignal()), ("i", "rst", ResetSignal())]
        for path, member, value in self.component.signature.flatten(self.component):
            port = Value.cast(value)
            if len(port):
                way = "i" if member.flow is wiring.In else "o"
                ports.append((way, "__".join(map(str, path)), port))
        return Instance(name, *ports)


def to_rtlil(
    component: wiring.Component, name: str, platform: object = None, *, share: bool = False
) -> str:
    """Return a component as RTLIL with ``name`` as its top module.

    ``platform`` is what components elaborate for, such as
    :class:`~spikelet.rtl_gen.memory_macros.MemoryMacros`; None: anything that reads Verilog.
    ``share``: elaborate what is :class:`Shared` once for all equals. It is then an instance, which
    Amaranth does not look into: not for what a ``ResetInserter`` or ``EnableInserter`` is around.

    Python's search for cyclic garbage is off meanwhile: it finds none among the millions of objects
    of a design, and takes as long as everything else.
    """
    with _no_garbage_collection():
        return (
            _shared(component, name, platform) if share else _converted(component, name, platform)
        )


def _converted(component: wiring.Component, name: str, platform: object) -> str:
    text: str = rtlil.convert(component, name=name, platform=platform, emit_src=False)
    return text


def _shared(component: wiring.Component, name: str, platform: object) -> str:
    """Return a design; each kind of shared module is named as its first instance would be."""
    kinds: _Kinds = {}
    texts: list[str] = []
    names: dict[str, str] = {}
    token = _kinds.set(kinds)
    try:
        waiting = [(name, component)]
        while waiting:
            text = _converted(waiting[0][1], waiting.pop(0)[0], platform)
            texts.append(_HEAD.sub("", text) if texts else text)
            components = dict(kinds.values())
            for module in _MODULE.finditer(text):
                for placeholder, instance in _INSTANCE.findall(module[2]):
                    if placeholder not in names:
                        names[placeholder] = f"{module[1]}.{instance}"
                        waiting.append((names[placeholder], components[placeholder]))
    finally:
        _kinds.reset(token)
    return _PLACEHOLDER.sub(lambda found: "\\" + names[found[1]], "".join(texts))


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
