"""Computing density: synapses for each look-up table, block RAM and device."""

from collections.abc import Callable, Sequence

from spikelet.fpga.flow import FpgaReport
from spikelet.measures.measure import Figure, Measure
from spikelet.measures.subject import Subject

__all__ = ["MEASURES"]

_SOURCE = "Zhang et al. 2020 ask for computing density; per FPGA resource in place of mm²"
_BUILD = "a build (`spikelet build`)"


def _name(build: FpgaReport) -> str:
    return build.board or build.device


def _per(resource: str) -> Callable[[Subject], list[Figure]]:
    def figures(subject: Subject) -> list[Figure]:
        return [
            Figure(
                subject.synapses / usage.used,
                _name(build),
                f"{subject.synapses:,} synapses, {usage.used:,} {resource.replace('_', ' ')}",
            )
            for build in subject.builds
            for name, usage in build.routed.utilisation.items()
            if name == resource and usage.used
        ]

    return figures


def _per_device(subject: Subject) -> Sequence[Figure]:
    found = []
    for build in subject.builds:
        shares = {
            name: usage.used / usage.available
            for name, usage in build.routed.utilisation.items()
            if usage.available
        }
        if not any(shares.values()):
            continue
        fullest = max(shares, key=lambda name: shares[name])
        note = f"extrapolated: {shares[fullest]:.1%} of the {fullest.replace('_', ' ')} are in use"
        found.append(Figure(subject.synapses / shares[fullest], _name(build), note))
    return found


MEASURES = (
    Measure(
        "neurons",
        "Neurons",
        "",
        "Neurons of all populations; inputs are not neurons",
        "Merolla et al. 2014",
        "nothing",
        lambda subject: [Figure(subject.spiking_neurons)],
    ),
    Measure(
        "synapses",
        "Synapses",
        "",
        "Synapses of the network, those of weight 0 among them; of a convolution each use of a tap",
        "as crossbars count them: Merolla et al. 2014",
        "nothing",
        lambda subject: [Figure(subject.synapses)],
    ),
    Measure(
        "synapses_per_lut",
        "Synapses per look-up table",
        "",
        "Synapses / look-up tables in use, of the whole design after routing",
        _SOURCE,
        _BUILD,
        _per("luts"),
    ),
    Measure(
        "synapses_per_block_ram",
        "Synapses per block RAM",
        "",
        "Synapses / block RAMs in use; large RAMs of another kind are not counted",
        _SOURCE,
        f"{_BUILD} that uses block RAM",
        _per("block_rams"),
    ),
    Measure(
        "synapses_per_device",
        "Synapses that a device would hold",
        "",
        "Synapses / share in use of the resource that is used most: an extrapolation",
        _SOURCE,
        _BUILD,
        _per_device,
    ),
)
