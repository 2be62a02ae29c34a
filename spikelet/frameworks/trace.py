"""One run of a module, seen from outside: what each neuron module got and gave, in each tick.

Neuron modules are seen by hooks, all that is between them by :class:`TracedTensors`. These two
files alone import PyTorch; they are imported when a module is read.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch.utils._pytree import tree_flatten

from spikelet.description.errors import SpikeletError
from spikelet.description.summary import summary
from spikelet.frameworks.expression import INPUT_LINES, Node, Source, at
from spikelet.frameworks.framework import Framework
from spikelet.frameworks.maps import sum_pool
from spikelet.frameworks.readouts import Returned
from spikelet.frameworks.tensors import TracedTensors, numbers_of
from spikelet.frameworks.traced import BATCH, TIME, Lead, Traced, constant

__all__ = ["Seen", "SeenNeurons", "trace"]


@dataclass(eq=False)
class SeenNeurons:
    """What was seen of a neuron module.

    Attributes
    ----------
    name : str
    module : torch.nn.Module
    shape : tuple of int
        Of its spikes, of one sample in one tick.
    arriving : list of Node
        What it got in each tick.
    spikes : list of array
        What it gave in each tick, or once in all.
    """

    __repr__ = summary

    name: str
    module: Any
    shape: tuple[int, ...] = ()
    arriving: list[Node] = field(default_factory=list)
    spikes: list[Any] = field(default_factory=list)
    states: list[Node | None] = field(default_factory=list)

    def fired(self) -> np.ndarray:
        """Return its spikes, shape (samples, ticks, *shape)."""
        return self.spikes[0] if len(self.spikes) == 1 else np.stack(self.spikes, axis=1)


@dataclass(frozen=True, eq=False)
class Seen:
    """What was seen of a module.

    Parameters
    ----------
    neurons : dict of str to SeenNeurons
        In the order of their first call.
    results : list of Returned or None
        The tensors that it returned; None for what does not depend on spikes.
    """

    __repr__ = summary

    neurons: dict[str, SeenNeurons]
    results: list[Returned | None]


def trace(net: Any, framework: Framework, sample: Any, *, shape: str) -> Seen:
    """Run a module once, without gradients.

    Parameters
    ----------
    net : torch.nn.Module
    framework : Framework
    sample : array of uint8, shape (ticks, samples, ...)
        Input spikes; the module gets them in the number format of its weights.
    shape : str
        How the module takes them: ``"ticks"``, one tick after the other; ``"time first"``,
        ``"samples first"``, or ``"merged"``, with samples and ticks in one axis.

    Raises
    ------
    SpikeletError
        If neuron modules are not called once for each tick, or keep no state.
    """
    like = next(net.parameters(), torch.zeros(0))
    run = _Run(framework, torch.as_tensor(sample).to(like.device, like.dtype))
    framework.reset(net)
    try:
        with torch.no_grad(), run.watched(net), run.tensors:
            results = run.results(net, shape)
    finally:
        framework.reset(net)
    run.check()
    return Seen(run.neurons, results)


class _Run:
    """A run, as it is seen by the hooks of its modules."""

    def __init__(self, framework: Framework, sample: Any) -> None:
        self.framework = framework
        self.sample = sample
        self.ticks, self.samples = sample.shape[:2]
        self.tensors = TracedTensors()
        self.neurons: dict[str, SeenNeurons] = {}

    def results(self, net: Any, shape: str) -> list[Returned | None]:
        """Call the module; return what it returned, as far as it depends on spikes."""
        if shape == "ticks":
            carried, results = None, []
            for tick in range(self.ticks):
                with self.tensors.unseen():
                    given = self.sample[tick].clone()
                self._know_input(given, tick, BATCH)
                returned, carried = self.framework.step(net, given, carried)
                results.append(returned)
            return self._of_all(results)
        with self.tensors.unseen():
            given = self.sample.clone()
            if shape != "time first":
                given = given.transpose(0, 1).contiguous()
            if shape == "merged":
                given = given.flatten(0, 1)
        axes = (TIME, BATCH) if shape == "time first" else (BATCH, TIME)
        self._know_input(given, None, *axes)
        return self._of_all(self.framework.result(net(given)))

    def _know_input(self, given: Any, tick: int | None, *axes: str) -> None:
        node = Source(INPUT_LINES, "spikes", tick, tuple(self.sample.shape[2:]))
        self.tensors.know(given, Traced(node, self._lead(*axes), tuple(given.shape)))

    def _lead(self, *axes: str) -> Lead:
        return Lead(axes, self.ticks, self.samples)

    def _of_all(self, returned: Any) -> list[Returned | None]:
        tensors = [leaf for leaf in tree_flatten(returned)[0] if isinstance(leaf, torch.Tensor)]
        found = [(self.tensors.of(tensor), tensor) for tensor in tensors]
        return [
            None if traced is None else Returned(traced.node, traced.lead, numbers_of(tensor))
            for traced, tensor in found
        ]

    @contextmanager
    def watched(self, net: Any) -> Iterator[None]:
        """Watch all modules."""
        with ExitStack() as stack:
            for name, module in net.named_modules():
                for before, after in self._hooks(name, module):
                    for hook in (
                        module.register_forward_pre_hook(before, with_kwargs=True),
                        module.register_forward_hook(after, with_kwargs=True),
                    ):
                        stack.callback(hook.remove)
            yield

    def _hooks(self, name: str, module: Any) -> Iterator[tuple[Any, Any]]:
        neurons = self.framework.is_neuron(module)
        sums = isinstance(module, torch.nn.LPPool2d) and module.norm_type == 1

        def before(_: Any, args: Any, kwargs: Any) -> None:
            self.tensors.places.append(name)
            if neurons or sums:
                self.tensors.inside += 1
                if neurons and self.tensors.inside == 1:
                    self._enter(name, module, args, kwargs)

        def after(_: Any, args: Any, kwargs: Any, result: Any) -> None:
            if (neurons or sums) and self.tensors.inside == 1:
                (self._leave if neurons else self._summed)(name, module, args, result)
            self.tensors.inside -= neurons or sums
            self.tensors.places.pop()

        yield before, after

    def _enter(self, name: str, module: Any, args: Any, kwargs: Any) -> None:
        seen = self.neurons.setdefault(name, SeenNeurons(name, module))
        given = self.tensors.of(args[0]) if args and isinstance(args[0], torch.Tensor) else None
        if given is None:
            given = self._constant(args)
        self._check_axes(given, module)
        tick = len(seen.arriving)
        self._check_states(seen, args[1:], kwargs, tick)
        if TIME in given.lead.axes:
            known: dict[tuple[int, int], Node] = {}
            seen.arriving += [at(given.node, t, known) for t in range(self.ticks)]
        else:
            seen.arriving.append(given.node)
        if len(seen.arriving) > self.ticks:
            raise self.tensors.error(
                f"it is called more often than there are ticks, {self.ticks}",
                "give each use a neuron module of its own; and see that the sample's time axis "
                "is where the module expects it",
            )

    def _constant(self, args: Any) -> Traced:
        """Return an input that does not depend on spikes, such as of a first tick."""
        if not args or not isinstance(args[0], torch.Tensor):
            raise self.tensors.error("its input is not its first argument", "pass it by position")
        shape = tuple(args[0].shape)
        like = Traced(Source(INPUT_LINES, "spikes", 0, ()), self._lead(BATCH), shape)
        found = constant(numbers_of(args[0]), shape, like)
        self.tensors.know(args[0], found)
        return found

    def _check_axes(self, given: Traced, module: Any) -> None:
        """SpikeletError unless time and samples are where a neuron module has them."""
        takes = self.framework.takes(module)
        wanted = {"ticks": (BATCH,), "time first": (TIME, BATCH)}.get(takes, (BATCH, TIME))
        n_axes = 1 if takes == "merged" else len(wanted)
        if given.lead.axes != wanted or given.n_lead != n_axes:
            found = " and ".join(given.lead.axes)
            merged = ", in one" if takes == "merged" else ""
            raise self.tensors.error(
                f"its first axes must be {' and '.join(wanted)}{merged}; it gets {found}, in a "
                f"tensor of shape {given.shape}",
                "see that the sample's time axis is where the module expects it",
            )

    def _check_states(self, seen: SeenNeurons, args: Any, kwargs: Any, tick: int) -> None:
        """SpikeletError unless states are handed on from tick to tick."""
        given = tree_flatten((args, kwargs))[0]
        states = [leaf for leaf in given if isinstance(leaf, torch.Tensor)]
        if not tick:
            if any(bool((s != 0).any()) for s in states):
                raise self.tensors.error(
                    "it starts from a state that is not 0", "start from the state after a reset"
                )
            return
        if not states and self.framework.keeps_state(seen.module):
            return
        if len(states) > len(seen.states) or not states:
            raise self.tensors.error(
                f"its state is not handed on to tick {tick}",
                "pass what it returned in the tick before",
            )
        for state, before in zip(states, seen.states[-len(states) :], strict=True):
            traced = self.tensors.of(state)
            if traced is None or traced.node is not before:
                raise self.tensors.error(
                    f"its state in tick {tick} is not what it returned in the tick before",
                    "hand states on as they are",
                )

    def _summed(self, name: str, module: Any, args: Any, result: Any) -> None:
        """Note what a pooling by sum gave, which is several operations to PyTorch."""
        given = self.tensors.of(args[0])
        if given is not None:
            made = sum_pool(given, tuple(result.shape), module.kernel_size, module.stride)
            self.tensors.know(result, made)

    def _leave(self, name: str, module: Any, args: Any, result: Any) -> None:
        seen, given = self.neurons[name], self.tensors.of(args[0])
        assert given is not None
        spikes, *states = [t for t in tree_flatten(result)[0] if isinstance(t, torch.Tensor)]
        lead = given.lead
        tick = None if TIME in lead.axes else len(seen.arriving) - 1
        fired = Traced(given.node, lead, tuple(spikes.shape))
        seen.shape = fired.of_sample
        node = Source(name, "spikes", tick, seen.shape)
        self.tensors.know(spikes, Traced(node, lead, fired.shape))
        array = numbers_of(spikes).reshape(*lead.sizes, *seen.shape)
        seen.spikes.append(array.swapaxes(0, 1) if lead.axes[0] == TIME else array)
        seen.states = [node]
        for number, state in enumerate(states):
            own = node if state is spikes else Source(name, f"state {number}", tick, ())
            seen.states.append(own)
            if own is not node:
                self.tensors.know(state, Traced(own, self._lead(BATCH), tuple(state.shape)))

    def check(self) -> None:
        """SpikeletError unless each neuron module that was called was so in each tick."""
        for seen in self.neurons.values():
            if len(seen.arriving) != self.ticks:
                raise SpikeletError(
                    f"module {seen.name!r} is called in {len(seen.arriving)} of {self.ticks} ticks",
                    remedy="call it once in each tick; and see that the sample's time axis is "
                    "where the module expects it",
                )
