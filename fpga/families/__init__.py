"""The FPGA families, one file each; :class:`Family` says what such a file holds."""

from collections.abc import Iterator
from contextlib import contextmanager

from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError
from spikelet.fpga.families import ecp5, gatemate, ice40, ice40_hx
from spikelet.fpga.families.family import Device, Family

__all__ = ["device_named", "devices", "families", "family_named", "fusesoc_arch", "registered"]

_FAMILIES: list[Family] = [module.FAMILY for module in (ecp5, ice40, ice40_hx, gatemate)]


def families() -> tuple[Family, ...]:
    """Return the families that are known by name."""
    return tuple(_FAMILIES)


def family_named(name: str) -> Family:
    """Return the family called ``name``; SpikeletError lists the valid names otherwise."""
    for family in _FAMILIES:
        if family.name == name:
            return family
    raise SpikeletError(
        f"family must be one of {', '.join(family.name for family in _FAMILIES)}, not {name!r}",
        remedy="choose one of these families",
    )


def devices() -> dict[str, Device]:
    """Return the devices of all families by name."""
    return {device.name: device for family in _FAMILIES for device in family.devices}


def device_named(name: str) -> Device:
    """Return the device called ``name``; SpikeletError lists the valid names otherwise."""
    known = devices()
    if name not in known:
        raise SpikeletError(
            f"device must be one of {', '.join(known)}, not {name!r}",
            remedy="choose one of these devices, or a board",
        )
    return known[name]


def fusesoc_arch(chip: ChipParams) -> str:
    """Return what Edalize's Yosys calls a family that has the RAM a chip asks for; "" if none."""
    kinds = {core.weight_memory for core in chip.cores}
    for family in _FAMILIES:
        offered = {kind for ram in family.rams for kind in ram.kinds}
        if family.fusesoc_arch and kinds <= offered:
            return family.fusesoc_arch
    return ""


@contextmanager
def registered(family: Family) -> Iterator[Family]:
    """Make a family of one's own known by name, and its devices, in a ``with`` block.

    In it they are targets of builds and fit checks, and ``netlist-NAME`` is an engine.

    Raises
    ------
    SpikeletError
        If there is a family or a device of that name already, or a resource is missing.
    """
    problem = _problem(family)
    if problem:
        raise SpikeletError(
            f"family {family.name!r} cannot be registered: {problem[0]}", remedy=problem[1]
        )
    _FAMILIES.append(family)
    try:
        yield family
    finally:
        _FAMILIES.remove(family)


def _problem(family: Family) -> tuple[str, str] | None:
    """Return what forbids to register a family, and what to do about it."""
    if family.name in (other.name for other in _FAMILIES):
        return "there is a family of that name", "give it a name of its own"
    taken = {name.casefold() for name in devices()}
    for device in family.devices:
        if device.name.casefold() in taken:
            return f"there is a device {device.name}", "give the device a name of its own"
        taken.add(device.name.casefold())
    resources = {resource.name for resource in family.resources}
    wanted = {"luts", "flip_flops", *(ram.resource for ram in family.rams)}
    wanted |= {"dsps"} if family.multiplier else set()
    if wanted - resources:
        missing = ", ".join(sorted(wanted - resources))
        return f"its resources lack {missing}", "describe each with a Resource"
    for device in family.devices:
        for resource in family.resources:
            if resource.placed and resource.name not in device.capacity:
                return (
                    f"the capacity of {device.name} lacks {resource.name}",
                    "say how many the device has",
                )
    return None
