"""The order in which populations run, and the cycles that have none."""

from collections.abc import Callable
from graphlib import CycleError, TopologicalSorter

from spikelet.description.errors import SpikeletError

__all__ = ["feedback_refusal", "topological_order"]


def topological_order(
    predecessors: dict[str, list[str]], refusal: Callable[[list[str]], SpikeletError]
) -> list[str]:
    """Return the names so that each comes after its predecessors.

    If they form a cycle, raise what ``refusal`` makes of the names on the way round, of which the
    last is the first again.
    """
    try:
        return list(TopologicalSorter(predecessors).static_order())
    except CycleError as error:
        raise refusal(error.args[1]) from None


def feedback_refusal(what: str, way_round: list[str]) -> SpikeletError:
    """Return the error of a cycle of several populations; ``what`` opens its message."""
    return SpikeletError(
        f"{what}: layers run one tick apart, so feedback to an earlier layer would come too late; "
        f"found the cycle {' -> '.join(repr(name) for name in way_round)}",
        remedy="remove one of these edges; a layer may feed back to itself, but to no other",
    )
