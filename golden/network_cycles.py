"""Cost model: the network on chip, clock cycle by clock cycle, from fired neurons to arrivals.

No twin in rtl_gen, whose cycles it predicts: what a chip computes does not depend on it
(``golden/network_on_chip.py``).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.destinations import HOST
from spikelet.description.chip.image import ChipImage, CoreImage
from spikelet.description.chip.params import ChipParams
from spikelet.golden.network_routers import Flit, Item, Output, Queue, Routers, routers_of
from spikelet.golden.routing import Target

__all__ = ["CoreTick", "NetworkCycles", "NetworkTick"]

_QUEUE = 3
"""Cycles from the row of a neuron that fired until its word is looked up."""

_LONG_AGO = -(1 << 40)


@dataclass(frozen=True)
class CoreTick:
    """What the network sees of a core in a tick; cycles count from the tick's start, which is 0.

    Parameters
    ----------
    opens : int
        First cycle in which arrivals are taken: the scan has ended.
    fired : list of tuple of int
        Neurons that fired, ascending, each with the cycle in which its row was updated.
    """

    opens: int
    fired: list[tuple[int, int]]


@dataclass(frozen=True)
class NetworkTick:
    """Last cycles of a tick in which something was under way; 0 where nothing was.

    Parameters
    ----------
    last : int
        Of the whole network, emission and arrivals included.
    emission : tuple of int
        In which each core sent, or had something to send.
    """

    last: int
    emission: tuple[int, ...]


class NetworkCycles:
    """Emission, routers and arrivals of a chip, which take turns from tick to tick.

    It starts as the hardware does after a reset. Of the host it is taken that it takes its spikes
    at once.

    Parameters
    ----------
    chip : ChipParams
    image : ChipImage
    """

    def __init__(self, chip: ChipParams, image: ChipImage) -> None:
        self.chip = chip
        self.routers: Routers = routers_of(chip)
        self._emissions = [
            _Emission(_table(chip, contents, core.n_neurons), queue)
            for core, contents, queue in zip(
                chip.cores, image.cores, self.routers.cores, strict=True
            )
        ]
        counts = chip.count_bits > 1
        self._arrivals = [
            _Arrivals(core, forwards=chip.registered_links and not counts) for core in chip.cores
        ]
        self._paths: dict[int, list[tuple[Output, int]]] = {}

    def events(self, cores: Iterable[int]) -> None:
        """Let events of the host pass to these cores, in this order, between two ticks."""
        for core in cores:
            if core not in self._paths:
                self._paths[core] = list(self._path(core))
            for output, source in self._paths[core]:
                output.favoured = -1 << (source + 1)

    def _path(self, core: int) -> Iterable[tuple[Output, int]]:
        """Return each output that an event passes, with the number of the source it comes from."""
        x, y = self.chip.position(core)
        flit = Flit(Target(x, y, x, y), 0, 0)
        queue, line = self.routers.host, 0
        while True:
            (output,) = queue.wanted(flit, line)
            yield output, output.sources.index(queue)
            if output.edge:
                line = output.line
                yield output.edge, line
                output = output.edge
            if output.queue is None:
                return
            queue = output.queue

    def tick(self, cores: Sequence[CoreTick]) -> NetworkTick:
        """Return when a tick's spikes have arrived."""
        for emission, arrivals, core in zip(self._emissions, self._arrivals, cores, strict=True):
            emission.begin(core.fired)
            arrivals.begin(core.opens)
        live: dict[Queue, None] = {}
        active = [emission for emission in self._emissions if emission.fired]
        ends = dict.fromkeys(active, 0)
        last = now = 0
        while active or live:
            if not live and not any(emission.under_way for emission in active):
                now = max(now, min(emission.fired[0][1] for emission in active))
            for emission in active:
                if emission.shows(now):
                    ends[emission] = last = now
            if live:
                last = now
            last = max(last, self._cycle(now, live, active))
            active = [emission for emission in active if emission.fired or emission.under_way]
            now += 1
        return NetworkTick(last, tuple(ends.get(emission, 0) for emission in self._emissions))

    def _cycle(self, now: int, live: dict[Queue, None], active: list["_Emission"]) -> int:
        """Pass a cycle; return the last in which arrivals taken in it are under way.

        All is decided by what the queues hold before it.
        """
        moves, taken, end = self._decide(now, _requests(live))
        moves += [(sent.queue, (sent.sent, 0)) for sent in active if sent.step(now)]
        out_of_registers: list[tuple[Queue, Item]] = []
        for queue in live:
            if queue.register is not None and len(queue.flits) < queue.depth:
                out_of_registers.append((queue, queue.register))
                queue.register = None
        for source, output in taken:
            source.pending.remove(output)
        for source in {source: None for source, _ in taken}:
            if not source.pending:
                source.leave()
        for queue, item in out_of_registers:
            queue.enter(item)
        for queue, item in moves:
            live[queue] = None
            if queue.registered:
                queue.register = item
            else:
                queue.enter(item)
        for queue in [queue for queue in live if not queue.flits and queue.register is None]:
            del live[queue]
        return end

    def _decide(
        self, now: int, requests: dict[Output, int]
    ) -> tuple[list[tuple[Queue, Item]], list[tuple[Queue, Output]], int]:
        """Return what moves into which queue, who is served by which output, and until when."""
        moves: list[tuple[Queue, Item]] = []
        taken: list[tuple[Queue, Output]] = []
        edges: dict[Output, int] = {}
        end = 0
        granted = {output: _granted(output.favoured, asked) for output, asked in requests.items()}
        for output in requests:
            if output.edge:
                edges[output.edge] = edges.get(output.edge, 0) | 1 << output.line
        lines = {edge: _granted(edge.favoured, asked) for edge, asked in edges.items()}
        for output, place in granted.items():
            source = output.sources[place]
            flit, line = source.flits[0]
            behind = output.queue
            if output.edge:
                behind, line = output.edge.queue, output.line
                ready = behind is not None and behind.ready and lines[output.edge] == line
            elif behind is not None:
                ready = behind.ready
            elif output.core is not None:
                until = self._arrivals[output.core].take(now, flit)
                ready, end = until > 0, max(end, until)
            else:
                ready = True  # the host
            output.favoured = -1 << (place + 1 if ready else place)
            if ready:
                taken.append((source, output))
                if behind is not None:
                    moves.append((behind, (flit, line)))
        for edge, line in lines.items():
            ready = edge.queue is not None and edge.queue.ready
            edge.favoured = -1 << (line + 1 if ready else line)
        return moves, taken, end


def _requests(live: Iterable[Queue]) -> dict[Output, int]:
    """Return for each output which of its sources ask for it, a bit each."""
    requests: dict[Output, int] = {}
    for queue in live:
        for output in queue.pending:
            place = output.sources.index(queue)
            if output.enter_ring[place] and not (output.queue and output.queue.room):
                continue
            requests[output] = requests.get(output, 0) | 1 << place
    return requests


def _granted(favoured: int, asked: int) -> int:
    """Return the number of the lowest request, if possible of those that are favoured."""
    chosen = (asked & favoured) or asked
    return (chosen & -chosen).bit_length() - 1


class _Arrivals:
    """The axon bitmap of a core, as arrivals see it."""

    def __init__(self, core: CoreParams, *, forwards: bool) -> None:
        self.forwards = forwards
        self.stages = 2 if core.spike_bits > 1 else 1
        self.scan_bits, self.slots = core.scan_bits, core.delay_slots
        self.opens = 0
        self._taken: dict[tuple[int, int], int] = {}
        """When a spike was last taken for each slot and word."""

    def begin(self, opens: int) -> None:
        self.opens = opens
        self._taken = {}

    def take(self, now: int, flit: Flit) -> int:
        """Return the last cycle in which an arrival is under way if it is taken now, else 0."""
        if now < self.opens:
            return 0
        if not self.forwards:
            row = (flit.delay % self.slots, flit.axon // self.scan_bits)
            if 0 < now - self._taken.get(row, _LONG_AGO) <= self.stages:
                return 0
            self._taken[row] = now
        return now + self.stages


@dataclass
class _Word:
    """Of the destination table: a destination, the beginning of a list, or neither."""

    flit: Flit | None = None
    list_ends: bool = True
    first: int = 0


@dataclass(eq=False)
class _Emission:
    """Looks up the words of the neurons that fired: as ``rtl_gen/emission.py`` does, with lists."""

    table: list[_Word]
    queue: Queue
    fired: list[tuple[int, int]] = field(default_factory=list)
    """Neurons, and the first cycle in which each can be looked up."""
    sent: Flit = Flit(Target(0, 0, 0, 0), 0, 0)  # noqa: RUF009 - frozen
    _looked_up: int | None = None
    _entry: int | None = None
    _listing: bool = False
    _next: int = 0
    _again: int | None = None
    _last: int = 0

    def begin(self, fired: list[tuple[int, int]]) -> None:
        self.fired = [(neuron, updated + _QUEUE) for neuron, updated in fired]

    @property
    def under_way(self) -> bool:
        return self._looked_up is not None or self._entry is not None or self._again is not None

    def shows(self, now: int) -> bool:
        """Return whether the core is busy sending."""
        return (
            self._looked_up is not None
            or self._entry is not None
            or bool(self.fired and self.fired[0][1] <= now)
        )

    def step(self, now: int) -> bool:
        """Pass a cycle; return whether a flit, ``sent``, has been taken."""
        entry = None if self._entry is None else self.table[self._entry]
        flit = entry.flit if entry else None
        if flit is not None and not self.queue.ready:
            return False
        begins = ends = False
        if entry is not None and self._listing:
            ends = entry.list_ends or flit is None
        elif entry is not None and flit is None and not entry.list_ends:
            begins, self._next = True, entry.first
        in_list = begins or (self._listing and not ends)
        coming: int | None = None
        if in_list:
            coming = self._next
            self._next += 1
        elif self._again is not None:
            coming = self._again
        elif self.fired and self.fired[0][1] <= now:
            coming = self._last = self.fired.pop(0)[0]
        if begins:
            again = self._last if self._looked_up is not None else None
        else:
            again = self._again if in_list else None
        self._entry = None if begins or ends else self._looked_up
        self._looked_up, self._listing, self._again = coming, in_list, again
        if flit is not None:
            self.sent = flit
        return flit is not None


def _table(chip: ChipParams, contents: CoreImage, n_neurons: int) -> list[_Word]:
    """Return the words of a core's destination table: of its neurons, then of their lists."""
    by_neuron: dict[int, list[Flit]] = {}
    for neuron, core, axon, delay, columns, rows in contents.destinations.tolist():
        x, y = (0, 0) if core == HOST else chip.position(core)
        target = Target(x, y, x + columns - 1, y + rows - 1, core == HOST)
        by_neuron.setdefault(neuron, []).append(Flit(target, axon, delay))
    words = [_Word() for _ in range(n_neurons)]
    for neuron, flits in by_neuron.items():
        if len(flits) == 1:
            words[neuron] = _Word(flits[0])
            continue
        words[neuron] = _Word(None, False, len(words))
        words += [_Word(flit, flit is flits[-1]) for flit in flits]
    return [*words, _Word()]
