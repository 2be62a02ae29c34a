"""Shared synapses: a convolution, of whose kernel a core keeps one copy."""

from collections import Counter
from dataclasses import fields

import numpy as np
import numpy.typing as npt

from spikelet.description.checks import check_range, unsigned_bits
from spikelet.description.errors import SpikeletError
from spikelet.description.lanes import lane_banks, pack_lanes
from spikelet.description.synapses.convolution import ConvolutionShape
from spikelet.description.synapses.format import (
    CoreShape,
    Memory,
    SynapseFormat,
    SynapseRegion,
    Words,
)
from spikelet.description.synapses.visits import leaves

__all__ = ["Shared", "fewer_rows"]

_LATENCY = 6
"""Cycles from the scan's first axon to its first visit, and from the last visit to its sums."""

_AFTER_LEAVE = -5
"""What a dense core's pipeline has more than this crossbar's, counted from the start of a tick to
the last sums; ``golden/timing.py`` adds that of a dense core."""


_SCAN = 2
"""Cycles of a scan that are not counted as such, as the first word comes and none is left."""


class Shared(SynapseFormat):
    """Row ``((ky * kernel_width + kx) * channels + channel) * blocks + block`` holds weights.

    They are those of one kernel tap and input channel to a block of ``lanes`` output channels; the
    last block may have fewer, and weights of 0. A group is a block at one output position. An
    active axon is *scattered*: its weights are added to the sums of each output that its kernel
    reaches, which are kept in a memory of a row a group.
    """

    name = "shared"
    options = tuple(field.name for field in fields(ConvolutionShape))
    holds_scan = True
    pads_lanes = True

    def check_core(self, core: CoreShape) -> None:
        """Raise SpikeletError unless the convolution has the core's axons and neurons."""
        convolution = ConvolutionShape.of(core.synapse_options)
        for name in ("n_axons", "n_neurons"):
            given, needed = getattr(core, name), getattr(convolution, name)
            if given != needed:
                raise SpikeletError(
                    f"core: {name} must be {needed}, as its convolution has, not {given}"
                )
        if convolution.out_channels % core.pipelines:
            raise SpikeletError(
                f"core: pipelines must divide the {convolution.out_channels} out_channels of its "
                f"convolution, not {core.pipelines}"
            )
        if core.weight_format == "binary":
            raise SpikeletError(
                "core: shared weights are signed or unsigned, not binary",
                remedy="take signed weights of 2 bits",
            )

    def rows(self, core: CoreShape) -> int:
        """Return a row for each tap, input channel and block of output channels."""
        convolution = ConvolutionShape.of(core.synapse_options)
        return convolution.n_taps * convolution.blocks(core.lanes)

    def groups(self, core: CoreShape) -> int:
        """Return a group for each output position and block of output channels."""
        convolution = ConvolutionShape.of(core.synapse_options)
        positions = convolution.out_height * convolution.out_width
        return positions * convolution.blocks(core.lanes)

    def fan_in(self, core: CoreShape) -> int:
        """Return the inputs that a window has."""
        return ConvolutionShape.of(core.synapse_options).fan_in

    def check(self, core: CoreShape, weights: npt.NDArray[np.int16], name: str) -> None:
        """Raise SpikeletError unless ``weights`` has the kernel's shape and its values."""
        shape = ConvolutionShape.of(core.synapse_options).kernel_shape
        if weights.shape != shape:
            raise SpikeletError(f"{name}: the kernel must have shape {shape}, not {weights.shape}")
        check_range(f"{name}: weights", weights, core.weight_min, core.weight_max)

    def stored(
        self, core: CoreShape, matrix: npt.NDArray[np.int16], name: str
    ) -> npt.NDArray[np.int16]:
        """Return the kernel whose convolution the matrix is; SpikeletError if it is none."""
        convolution = ConvolutionShape.of(core.synapse_options)
        kernel = convolution.kernel(matrix)
        if not np.array_equal(convolution.matrix(kernel), matrix):
            raise SpikeletError(
                f"{name}: its weights are not those of a convolution",
                remedy="store them dense",
            )
        return kernel

    def matrix(self, core: CoreShape, weights: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
        """Return the kernel, written out for every output."""
        return ConvolutionShape.of(core.synapse_options).matrix(weights)

    def regions(self, core: CoreShape) -> tuple[SynapseRegion, ...]:
        """Return the kernel's region."""
        convolution = ConvolutionShape.of(core.synapse_options)
        banks = lane_banks(core.lanes, core.weight_bits)
        layout = (
            f"(((ky * {convolution.kernel_width} + kx) * {convolution.channels} + channel) * "
            f"{convolution.blocks(core.lanes)} + out_channel / {core.lanes}) * {banks} + "
            f"bank; out_channel o of the row at bit o % {core.lanes} * {core.weight_bits}, "
            "32 bits a bank"
        )
        bits = min(32, core.lanes * core.weight_bits)
        return (SynapseRegion("weights", core.weight_rows * banks, bits, layout),)

    def words(self, core: CoreShape, weights: npt.NDArray[np.int16]) -> list[Words]:
        """Return the rows of lanes, in banks of 32 bits."""
        convolution = ConvolutionShape.of(core.synapse_options)
        rows = weights.reshape(convolution.n_taps, convolution.out_channels)
        spare = convolution.blocks(core.lanes) * core.lanes - convolution.out_channels
        padded = np.pad(rows, ((0, 0), (0, spare))).reshape(-1, core.lanes)
        return [("weights", *pack_lanes(padded, core.weight_bits))]

    def memories(self, core: CoreShape) -> tuple[Memory, ...]:
        """Return the kernel and the sums."""
        convolution = ConvolutionShape.of(core.synapse_options)
        sums = convolution.lanes_in_use(core.lanes)[0] * core.current_bits
        return (
            Memory("weights", core.weight_rows, core.lanes * core.weight_bits, core.weight_memory),
            Memory("sums", core.groups, sums, "block", bank_bits=sums),
        )

    def logic(self, core: CoreShape) -> Counter[str]:
        """Return tables and addresses of visits, the lanes' sums, forwarding, the shift register.

        A group's number is added to, compared and chosen from in more places than a weight row's.
        """
        convolution = ConvolutionShape.of(core.synapse_options)
        group, row = (unsigned_bits(n - 1) for n in (core.groups, core.weight_rows))
        more_y, more_x = (
            unsigned_bits(max(reach.n for reach in axis.reaches))
            for axis in (convolution.y, convolution.x)
        )
        used = convolution.lanes_in_use(core.lanes)[0]
        sums = used * core.current_bits
        return Counter(
            {
                "table": convolution.height * (2 * group + row + more_y + 1)
                + convolution.width * (group + row + more_x + 1),
                "address": 9 * group + 5 * row + 3 * (more_y + more_x),
                "sum": sums,
                "multiplexer": 5 * group
                + 4 * row
                + 3 * sums
                + (used - core.pipelines) * core.current_bits
                + (-(-core.lanes * core.weight_bits // 32) - 1) * 32,
                "register": 2 * sums + core.lanes * core.weight_bits,
            }
        )

    def cycles(
        self, core: CoreShape, active: npt.NDArray[np.float64], empty_words: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        """Return what takes longer: the visits of all axons, or the groups on their way out.

        An axon takes a cycle for each group that it reaches, a group that leaves one more. Groups
        leave ``lanes / pipelines`` cycles apart, from the first axon on that shows that one is
        complete; those that the last row of the map reaches, after all visits. Active axons are
        taken to be spread evenly over the map.
        """
        convolution = ConvolutionShape.of(core.synapse_options)
        blocks, line = (
            convolution.blocks(core.lanes),
            core.groups // convolution.out_height,
        )
        pace = convolution.out_channels / blocks / core.pipelines
        visits = np.maximum(1, convolution.visits.mean() * blocks) * active
        scan = empty_words + active
        complete = convolution.y.complete
        last = core.groups - complete[-1] * line
        visited = np.maximum(visits, scan) + core.groups - last + last * pace
        shows = next((y for y, n in enumerate(complete) if n), convolution.height)
        before = shows / convolution.height * scan
        left = before + (scan - before) / (active + 1) + (core.groups - 1) * pace - 1
        found: npt.NDArray[np.float64] = np.maximum(visited + _LATENCY, left)
        return found

    def exact_cycles(
        self, core: CoreShape, active: npt.NDArray[np.bool_], weights: npt.NDArray[np.int16]
    ) -> npt.NDArray[np.int64]:
        """Return when the last group leaves, counted visit by visit."""
        last = self._group_times(core, active)[:, -1]
        return last + _AFTER_LEAVE + fewer_rows(core)

    def scan_cycles(self, core: CoreShape, active: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
        """Return those of a scan that waits while there are visits."""
        return leaves(core, ConvolutionShape.of(core.synapse_options), active)[1] - _SCAN

    def group_leads(self, core: CoreShape, active: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
        """Return when groups leave, or end, before the last, and the rows of that."""
        times = self._group_times(core, active)
        found: npt.NDArray[np.int64] = times[:, -1:] - times + self.group_rows(core)[-1] - 1
        return found

    def group_rows(self, core: CoreShape) -> npt.NDArray[np.int64]:
        """Return the rows in which a block has an output channel."""
        convolution = ConvolutionShape.of(core.synapse_options)
        whole, last = (n // core.pipelines for n in convolution.lanes_in_use(core.lanes))
        blocks = convolution.blocks(core.lanes)
        return np.tile([*[whole] * (blocks - 1), last], core.groups // blocks)

    def _group_times(self, core: CoreShape, active: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
        """Return the cycle in which each group leaves, counted visit by visit."""
        return leaves(core, ConvolutionShape.of(core.synapse_options), active)[0]


def fewer_rows(core: CoreShape) -> int:
    """Return the rows of neurons of the last group, less those that a whole one has."""
    convolution = ConvolutionShape.of(core.synapse_options)
    return (convolution.lanes_in_use(core.lanes)[1] - core.lanes) // core.pipelines
