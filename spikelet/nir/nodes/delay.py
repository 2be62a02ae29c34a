"""Delay: the values of some ticks ago."""

import numpy as np

from spikelet.description.errors import SpikeletError
from spikelet.network.network import FloatArray
from spikelet.nir.handler import Field, ImportedNode, NodeHandler
from spikelet.nir.signal import Signal

__all__ = ["Delay"]

_NEAR = 1e-3
"""Of a tick: as far as rounding in float32 leads from a whole number."""

_LONGEST = 1 << 16
"""Ticks; what a chip holds is asked where the network is placed."""


class Delay(NodeHandler):
    """The values of `delay / dt` ticks ago, for each value its own, or one for all. On the chip
    they are delays of connections, which cost no neuron.
    """

    kind = "Delay"
    fields = (Field("delay"),)

    def apply(self, node: ImportedNode, signal: Signal) -> Signal:
        """Return the delayed signal."""
        delay, dt = node.parameter("delay", signal.size), node.network.dt
        if not delay.any():
            return signal
        if dt is None:
            raise SpikeletError(
                "a delay is in seconds, and the time step is not known",
                remedy="pass the time step of the training: --dt SECONDS",
            )
        ticks = delay / dt
        near = np.abs(ticks - np.round(ticks)) <= _NEAR
        wrong = ~((ticks >= 0) & (ticks <= _LONGEST) & near)
        if wrong.any():
            found = float(delay[np.argmax(wrong)])
            raise SpikeletError(
                f"delay must be a whole number of ticks of {dt:g} s, 0..{_LONGEST}, "
                f"found {found:g} s, {found / dt:g} ticks",
                remedy="round it as the simulator did, or pass the time step of the training "
                "(--dt)",
            )
        return signal.delayed(np.round(ticks).astype(np.int64))

    @classmethod
    def written(cls, delay: FloatArray) -> tuple[str, dict[str, FloatArray]]:
        """Return kind and fields of a node, the delay in seconds, of shape (size,)."""
        return cls.kind, {"delay": delay}
