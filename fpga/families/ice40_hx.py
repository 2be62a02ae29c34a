"""Lattice iCE40 HX: the iCE40 without multipliers and single-port RAMs."""

from spikelet.fpga.families.family import Device
from spikelet.fpga.families.ice40 import Ice40

__all__ = ["FAMILY"]


class _Ice40Hx(Ice40):
    name = "ice40-hx"
    title = "iCE40 HX"
    resources = tuple(
        resource for resource in Ice40.resources if resource.name not in ("dsps", "sprams")
    )
    rams = tuple(ram for ram in Ice40.rams if ram.resource != "sprams")
    multiplier = None
    lut_error = 0.080
    fusesoc_arch = ""  # a core file names the UltraPlus

    @property
    def devices(self) -> tuple[Device, ...]:
        capacity = {"luts": 7680, "flip_flops": 7680, "block_rams": 32}
        return (Device("ICE40HX8K-CT256", self, ("--hx8k", "--package", "ct256"), capacity),)

    def synthesis(self, verilog: str, top: str) -> tuple[str, str]:
        flow = f"synth_ice40 -device hx -top {top}"
        return f"setattr -unset ram_style m:* a:ram_style=huge %i\n{flow} -run begin:map_ram", (
            f"{flow} -run map_ram:"
        )


FAMILY = _Ice40Hx()
"""The HX8K in package CT256."""
