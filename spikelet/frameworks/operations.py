"""The operations of PyTorch's dispatcher (``aten``) that may stand between neurons.

All layers and functions come down to these, whatever they are called.
"""

from collections.abc import Callable
from typing import Any

from spikelet.frameworks.arrange import (
    cat,
    over_time,
    permute,
    reshape,
    same,
    select,
    slice_,
    split,
    stack,
    transpose,
    unbind,
)
from spikelet.frameworks.combine import (
    add,
    addmm,
    divide,
    linear,
    mm,
    multiply,
    negative,
    subtract,
    subtract_from,
)
from spikelet.frameworks.maps import (
    average_pool,
    batch_norm,
    batch_norm_of_statistics,
    convolution,
)

__all__ = ["OPERATIONS"]

_SAME = (
    *("alias", "clone", "contiguous", "detach", "detach_", "lift_fresh", "_to_copy", "to"),
    *("positive", "view_as", "requires_grad_"),
)
_RESHAPE = (
    *("view", "_unsafe_view", "reshape", "_reshape_alias", "unsqueeze", "squeeze", "flatten"),
    *("unflatten", "expand"),
)

OPERATIONS: dict[str, Callable[..., Any]] = {
    **dict.fromkeys(_SAME, same),
    **dict.fromkeys(_RESHAPE, reshape),
    "permute": permute,
    "transpose": transpose,
    "t": lambda x, shape: transpose(x, shape, 0, 1),
    "select": select,
    "unbind": unbind,
    "slice": slice_,
    "split": split,
    "split_with_sizes": split,
    "stack": stack,
    "cat": cat,
    "add": add,
    "sub": subtract,
    "rsub": subtract_from,
    "mul": multiply,
    "div": divide,
    "neg": negative,
    "linear": linear,
    "addmm": addmm,
    "mm": mm,
    "convolution": convolution,
    "mkldnn_convolution": lambda x, shape, weight, bias, padding, stride, dilation, groups: (
        convolution(x, shape, weight, bias, stride, padding, dilation, False, (), groups)
    ),
    "avg_pool1d": average_pool,
    "avg_pool2d": average_pool,
    "native_batch_norm": batch_norm,
    "_native_batch_norm_legit": batch_norm,
    "_native_batch_norm_legit_no_training": batch_norm_of_statistics,
    "sum": over_time,
    "mean": over_time,
}
"""By name of the ``aten`` operation; each takes the first argument, the result's shape, the rest.

``stack`` and ``cat`` take a list; ``unbind`` and ``split`` give one, and take a list of shapes.
"""
