"""From components to RTLIL, the text that Yosys reads. No twin in golden: it computes nothing."""

import gc

from amaranth.back import rtlil
from amaranth.lib import wiring

__all__ = ["to_rtlil"]


def to_rtlil(component: wiring.Component, name: str, platform: object = None) -> str:
    """Return a component as RTLIL with ``name`` as its top module.

    ``platform`` is what components elaborate for, such as
    :class:`~spikelet.rtl_gen.memory_macros.MemoryMacros`; None: anything that reads Verilog.

    Python's search for cyclic garbage is off meanwhile: it finds none among the millions of objects
    of a design, and takes as long as everything else.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        text: str = rtlil.convert(component, name=name, platform=platform, emit_src=False)
        return text
    finally:
        if collecting:
            gc.enable()
