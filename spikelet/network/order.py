"""The order in which populations run, how late each is on a chip, and loops that come too early."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from spikelet.description.errors import SpikeletError

__all__ = ["depths", "late_pairs", "topological_order"]


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


def late_pairs(targets: Mapping[str, Sequence[str]], first: Iterable[str]) -> set[tuple[str, str]]:
    """Return the pairs of populations between which spikes in a loop take a tick of themselves.

    These lead from a population to another of the same loop that is as near to the input, or
    nearer, counted in populations: so every loop has one, and layers side by side see each other's
    last tick.

    Parameters
    ----------
    targets : mapping of str to sequence of str
        The other populations that each feeds.
    first : iterable of str
        Those that the input feeds.
    """
    near = dict.fromkeys(first, 1)
    rest = list(near)
    for name in rest:  # which grows
        for target in targets[name]:
            if target not in near:
                near[target] = near[name] + 1
                rest.append(target)
    far = len(targets) + 1
    found = set()
    for name in targets:
        reached, rest = set[str](), [name]
        while rest:
            new = [target for target in targets[rest.pop()] if target not in reached]
            reached.update(new)
            rest += new
        found |= {
            (source, name)
            for source in reached - {name}
            if name in targets[source] and near.get(source, far) >= near.get(name, far)
        }
    return found


def depths(
    what: str, populations: Iterable[str], connections: Iterable[tuple[str, str, int]]
) -> dict[str, int]:
    """Return the ticks that each population runs behind the input on a chip, as few as do.

    There a spike takes a tick or more, so that ``depth[target] - depth[source]`` and the ticks of a
    connection together must be 1 or more. Bellman and Ford's way with longest paths.

    Parameters
    ----------
    what : str
        Opens the message.
    populations : iterable of str
    connections : iterable of (str, str, int)
        Source, target, and ticks from a spike to its arrival in the network's own time, 0 or more.

    Raises
    ------
    SpikeletError
        For a loop whose spikes come round in fewer ticks than it has populations.
    """
    found, before = dict.fromkeys(populations, 0), dict[str, tuple[str, int]]()
    listed = list(connections)
    late = ""
    for _ in range(len(found) + 1):
        late = ""
        for source, target, ticks in listed:
            if found[source] + 1 - ticks > found[target]:
                found[target] = found[source] + 1 - ticks
                before[target] = source, ticks
                late = target
        if not late:
            return found
    for _ in found:  # from anywhere behind the loop back into it
        late = before[late][0]
    way, ticks = [late], 0
    while len(way) < 2 or way[-1] != late:
        source, took = before[way[-1]]
        way.append(source)
        ticks += took
    raise _too_early(what, way[::-1], ticks)


def _too_early(what: str, way_round: list[str], ticks: int) -> SpikeletError:
    layers = len(way_round) - 1
    more = layers - ticks
    return SpikeletError(
        f"{what}: layers run one tick apart, so a loop over {layers} takes {layers} ticks or more, "
        f"but spikes come round it in {ticks}, too early: "
        f"{' -> '.join(repr(name) for name in way_round)}",
        remedy=f"train it with a Delay of {more} more tick{'s'[: more > 1]} in the loop, or remove "
        "one of these edges",
    )
