"""The fields of each node type of NIR (nir 1.0.8), which no handler needs to read."""

from collections.abc import Mapping, Sequence

from spikelet.description.errors import SpikeletError

__all__ = ["FIELDS", "check_fields"]

_WINDOW = ("kernel_size", "stride", "padding")
_KERNEL = ("input_shape", "weight", "stride", "padding", "dilation", "groups", "bias")
_PORT = ("shape", "input_type", "output_type")

FIELDS: Mapping[str, Sequence[str]] = {
    "Affine": ("weight", "bias"),
    "AvgPool2d": _WINDOW,
    "Conv1d": _KERNEL,
    "Conv2d": _KERNEL,
    "CubaLI": ("tau_syn", "tau_mem", "r", "v_leak", "w_in"),
    "CubaLIF": ("tau_syn", "tau_mem", "r", "v_leak", "v_threshold", "v_reset", "w_in"),
    "Delay": ("delay",),
    "Flatten": ("start_dim", "end_dim", "input_type", "output_type"),
    "I": ("r",),
    "IF": ("r", "v_threshold", "v_reset"),
    "Input": _PORT,
    "LI": ("tau", "r", "v_leak"),
    "LIF": ("tau", "r", "v_leak", "v_threshold", "v_reset"),
    "Linear": ("weight",),
    "Output": _PORT,
    "Scale": ("scale",),
    "SumPool2d": _WINDOW,
    "Threshold": ("threshold",),
}
"""By node type; a test compares them with nir's own classes."""


def check_fields(kind: str, fields: Sequence[str], read: Sequence[str]) -> None:
    """SpikeletError for a field that NIR's nodes of this type do not have.

    Whatever it is for, it changes what the node computes, or it would not be there.

    Parameters
    ----------
    kind : str
        Types that are none of NIR's are left to their handlers.
    fields : sequence of str
        Those of a node.
    read : sequence of str
        Those that the kind's handler reads.
    """
    own = FIELDS.get(kind)
    strange = [name for name in fields if own is not None and name not in (*own, *read)]
    if own is not None and strange:
        raise SpikeletError(
            f"field {strange[0]} is none of NIR's {kind} nodes, which have {', '.join(own)}",
            remedy="what it means cannot be known: remove it, or read such nodes by a handler of "
            "your own that has the field",
        )
