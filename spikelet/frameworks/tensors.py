"""What is known of each tensor while a module runs: which depend on spikes, and how.

A mode of PyTorch's dispatcher is told of each operation on a tensor, whatever layer or function it
is from.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten

from spikelet.description.errors import SpikeletError
from spikelet.frameworks.expression import Refused, Source
from spikelet.frameworks.operations import OPERATIONS
from spikelet.frameworks.traced import Traced, refused

__all__ = ["TracedTensors", "numbers_of"]

_NEW = {"zeros_like", "ones_like", "full_like", "empty_like", "rand_like", "randn_like"}
_NEW |= {"new_zeros", "new_ones", "new_full", "new_empty", "new_empty_strided", "sym_size"}
"""Operations that take of a tensor its shape only."""

_FORMAT = {"dtype", "layout", "device", "pin_memory", "memory_format", "non_blocking", "copy"}
"""Arguments that say how values are stored."""

_KEEP = "collect the spikes of each tick in a list, and torch.stack them"


class TracedTensors(TorchDispatchMode):
    """The tensors that depend on spikes.

    Attributes
    ----------
    places : list of str
        Names of the modules that are being called, for messages.
    inside : int
        How many calls, within which operations are not looked at, enclose what runs now.
    """

    def __init__(self) -> None:
        super().__init__()
        self.known: dict[int, tuple[Any, Traced]] = {}
        self.storages: set[int] = set()
        self.overwritten: dict[int, tuple[Any, list[Traced]]] = {}
        self.inside = 0
        self.places: list[str] = []

    @contextmanager
    def unseen(self) -> Iterator[None]:
        """Leave what is done within out of the trace."""
        self.inside += 1
        try:
            yield
        finally:
            self.inside -= 1

    def know(self, tensor: Any, traced: Traced) -> None:
        """Note what a tensor is."""
        self.known[id(tensor)] = (tensor, traced)  # held, so that its id stays its own
        self.storages.add(_storage(tensor))

    def of(self, tensor: Any) -> Traced | None:
        """Return what is known of a tensor; None if it does not depend on spikes."""
        place = _storage(tensor)
        if place in self.overwritten:
            _, by = self.overwritten[place]
            reason = "values are written into a tensor that is there already"
            return refused(reason, _KEEP, by, tuple(tensor.shape))
        if id(tensor) in self.known:
            return self.known[id(tensor)][1]
        if place in self.storages and tensor.numel():
            raise self.error(
                "a tensor is taken from behind PyTorch's back (.data or .numpy())",
                "use .detach() instead",
            )
        return None

    def error(self, message: str, remedy: str) -> SpikeletError:
        """Return an error that names the module that is being called."""
        where = f"module {self.places[-1]!r}: " if self.places and self.places[-1] else ""
        return SpikeletError(f"{where}{message}", remedy=remedy)

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        if not self.inside:
            self._seen(func, args, kwargs or {}, result)
        return result

    def _seen(self, func: Any, args: Any, kwargs: dict[str, Any], result: Any) -> None:
        name = func.overloadpacket.__name__
        leaves = tree_flatten((args, kwargs))[0]
        tensors = [leaf for leaf in leaves if isinstance(leaf, torch.Tensor)]
        traced = [found for found in map(self.of, tensors) if found is not None]
        if not traced or name in _NEW:
            return
        if name in ("_local_scalar_dense", "equal", "is_nonzero"):
            raise self.error(
                "forward asks for a value of a signal, so that what it does may depend on it",
                "compute without .item() and without `if` on signals",
            )
        if self._writes(func, args, kwargs, traced):
            return
        out = tree_flatten(result)[0]
        values = self._applied(name, args, kwargs, traced, result)
        for tensor, value in zip(out, values, strict=True):
            if isinstance(tensor, torch.Tensor):
                self.know(tensor, value)

    def _writes(self, func: Any, args: Any, kwargs: Any, traced: list[Traced]) -> bool:
        """Note what an operation in place overwrites, if it is one."""
        written = [kwargs["out"]] if isinstance(kwargs.get("out"), torch.Tensor) else []
        written += [
            args[i]
            for i, argument in enumerate(func._schema.arguments)
            if argument.alias_info and argument.alias_info.is_write and i < len(args)
        ]
        name = func.overloadpacket.__name__
        if not written or name in OPERATIONS:
            return False
        target = written[0]
        aliases = [t for t, _ in self.known.values() if _storage(t) == _storage(target)]
        if name.removesuffix("_") in OPERATIONS and all(t is target for t in aliases) and aliases:
            return False
        self.overwritten[_storage(target)] = (target, traced)
        return True

    def _applied(
        self, name: str, args: Any, kwargs: dict[str, Any], traced: list[Traced], result: Any
    ) -> list[Traced]:
        """Return what an operation gives; each refused by name, if it cannot be meant."""
        shapes = [tuple(t.shape) for t in tree_flatten(result)[0] if isinstance(t, torch.Tensor)]
        if before := next((t.node for t in traced if isinstance(t.node, Refused)), None):
            return [refused(before.reason, before.remedy, traced, shape) for shape in shapes]
        operation = OPERATIONS.get(name) or OPERATIONS.get(name.removesuffix("_"))
        where = f"module {self.places[-1]!r}: " if self.places and self.places[-1] else ""
        remedy = "only weights, sums, factors and rearrangement may stand between neurons"
        if operation is None:
            reason = f"{where}the operation {name} has no place on a chip"
            if name.startswith("max_pool"):
                remedy = "pool by average or sum (AvgPool2d)"
            return [refused(reason, remedy, traced, shape) for shape in shapes]
        given = [self._plain(value) for value in args]
        named = {k: self._plain(v) for k, v in kwargs.items() if k not in _FORMAT}
        several = isinstance(result, list | tuple) and name.startswith(("unbind", "split"))
        try:
            if name == "_to_copy":
                self._check_format(traced[0], kwargs.get("dtype"))
            made = operation(
                given[0], shapes if several else shapes[0], *self._rest(name, given), **named
            )
        except (SpikeletError, TypeError) as error:
            reason = f"{where}the operation {name}: {error.args[0]}"
            remedy = getattr(error, "remedy", "") or remedy
            return [refused(reason, remedy, traced, shape) for shape in shapes]
        found = made if isinstance(made, list) else [made]
        return found + [found[0]] * (len(shapes) - len(found))

    @staticmethod
    def _check_format(value: Traced, dtype: Any) -> None:
        """SpikeletError for a number format that holds less than the value."""
        spikes = isinstance(value.node, Source) and value.node.what == "spikes"
        if dtype is not None and not dtype.is_floating_point and not spikes:
            raise SpikeletError(f"values that are no spikes become {dtype}")

    @staticmethod
    def _rest(name: str, given: list[Any]) -> list[Any]:
        shaped = ("view", "reshape", "_reshape_alias", "_unsafe_view", "expand", "unsqueeze")
        return [] if name in (*shaped, "squeeze", "unflatten", "flatten") else given[1:]

    def _plain(self, value: Any) -> Any:
        """Return an argument without PyTorch."""
        if isinstance(value, torch.Tensor):
            return self.of(value) or numbers_of(value)
        if isinstance(value, list | tuple):
            return [self._plain(v) for v in value]
        return value


def _storage(tensor: Any) -> int:
    """Return what is the same for tensors that share their memory."""
    if tensor.layout != torch.strided:
        return id(tensor)
    return int(tensor.untyped_storage().data_ptr())


def numbers_of(tensor: Any) -> npt.NDArray[np.float64]:
    """Return a tensor as an array of its own."""
    return np.array(tensor.detach().cpu().to(torch.float64).numpy())
