"""The FPGA devices: what each one holds, and how nextpnr is told about it."""

from dataclasses import dataclass

from spikelet.description.errors import SpikeletError

__all__ = ["DEVICES", "Device", "device_named"]


@dataclass(frozen=True)
class Device:
    """One FPGA in one package and speed grade.

    Parameters
    ----------
    name : str
    family : str
        ``"ecp5"`` or ``"ice40"``.
    nextpnr : tuple of str
        Options that select device, package and speed grade.
    luts : int
        4-input look-up tables (nextpnr's TRELLIS_COMB or ICESTORM_LC).
    flip_flops : int
    block_rams : int
        Block RAMs (DP16KD or SB_RAM40_4K).
    block_ram_bits : int
        Bits in one block RAM, with parity bits where the family has them.
    dsps : int
        Multipliers, 18x18 on ECP5 and 16x16 on iCE40.
    sprams : int
        Single-port RAMs of 16384 x 16 bits, without initial contents.
    """

    name: str
    family: str
    nextpnr: tuple[str, ...]
    luts: int
    flip_flops: int
    block_rams: int
    block_ram_bits: int
    dsps: int
    sprams: int = 0

    @property
    def cell_kinds(self) -> dict[str, tuple[str, int]]:
        """nextpnr's name and this device's number of each resource, by our name."""
        if self.family == "ecp5":
            return {
                "luts": ("TRELLIS_COMB", self.luts),
                "flip_flops": ("TRELLIS_FF", self.flip_flops),
                "block_rams": ("DP16KD", self.block_rams),
                "dsps": ("MULT18X18D", self.dsps),
            }
        return {
            "luts": ("ICESTORM_LC", self.luts),
            "block_rams": ("ICESTORM_RAM", self.block_rams),
            "dsps": ("ICESTORM_DSP", self.dsps),
            "sprams": ("ICESTORM_SPRAM", self.sprams),
        }


def _ecp5(name: str, size: str, luts: int, block_rams: int, dsps: int) -> Device:
    return Device(
        name=name,
        family="ecp5",
        nextpnr=(f"--{size}", "--package", "CABGA381", "--speed", "6"),
        luts=luts,
        flip_flops=luts,
        block_rams=block_rams,
        block_ram_bits=18 * 1024,
        dsps=dsps,
    )


DEVICES = {
    device.name: device
    for device in (
        _ecp5("LFE5U-25F", "25k", 24288, 56, 28),
        _ecp5("LFE5U-45F", "45k", 43848, 108, 72),
        _ecp5("LFE5U-85F", "85k", 83640, 208, 156),
        Device(
            name="ICE40UP5K-SG48",
            family="ice40",
            nextpnr=("--up5k", "--package", "sg48"),
            luts=5280,
            flip_flops=5280,
            block_rams=30,
            block_ram_bits=4 * 1024,
            dsps=8,
            sprams=4,
        ),
    )
}
"""The devices by name; speed grade 6 where there are several."""


def device_named(name: str) -> Device:
    """Return the device called ``name``; SpikeletError lists the valid names otherwise."""
    if name not in DEVICES:
        raise SpikeletError(
            f"device must be one of {', '.join(DEVICES)}, not {name!r}",
            remedy="choose one of these devices, or a board",
        )
    return DEVICES[name]
