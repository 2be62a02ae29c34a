"""A link to a chip over a line of bytes: words, events and ticks as operations of the host link."""

import math
import secrets
import struct
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from spikelet.description.chip.host_link import (
    IDENTITY,
    OPERATIONS,
    VERSION,
    WATCHDOG_CYCLES,
)
from spikelet.description.errors import SpikeletError
from spikelet.host.connection import Connection
from spikelet.host.link import Batch, Ran, Words
from spikelet.host.port import Port
from spikelet.host.resend_timer import ResendTimer

__all__ = ["PATIENCE_S", "SerialLink"]

PATIENCE_S = 5.0
"""How long an answer is waited for, unless it is told."""

_WRITE, _READ, _EVENTS, _RUN, _CLEAR, _IDENTIFY, _WATCHDOG = range(len(OPERATIONS))
_MOST = (1 << 16) - 1
"""Words, events or ticks of one operation."""

_AHEAD = 1 << 14
"""Bytes that wait to be sent, while a run goes on making more."""

_NONE: Iterator[bytes] = iter(())

_BITS = 10
"""Of a byte on the line."""

_RESENDS = 5
"""How often something is sent at least until patience is at its end."""

_SLICES = 5
"""In how many parts :class:`SerialLink` waits until it sends again."""
_IDENTITY_WORDS = IDENTITY.size // 4


class SerialLink:
    """A :class:`spikelet.host.link.Link` to a chip with a host link.

    Parameters
    ----------
    port : Port
        Closed by :meth:`close`, and if there is no answer.
    reset : bool
        Whether the chip is reset first; its memories keep their contents.
    patience_s : float
        Seconds without any answer, or without the end of a tick that has had its clock cycles,
        after which the link fails.
    resend_s : float
        Seconds without an answer after which what may be lost is sent again, at least; longer where
        answers turn out to take longer, up to a fifth of ``patience_s``. Adapters of USB hold
        answers back for up to 16 ms.
    watchdog_s : float
        Seconds without a word from this driver after which the chip gives the connection up and is
        reset; 0: never. Twice ``patience_s`` at least. A program that has nothing to do for longer
        calls :meth:`keep_alive` now and then.

    Attributes
    ----------
    structure : int
        First 32 bits of the structure's digest, as the chip says it.
    clock_hz : int
        Of the chip's clock.

    Raises
    ------
    SpikeletError
        If nothing answers, or what answers is no host link of this version; if a time is out of
        its range.
    """

    def __init__(
        self,
        port: Port,
        *,
        reset: bool = True,
        patience_s: float = PATIENCE_S,
        resend_s: float = 0.05,
        watchdog_s: float = 0.0,
    ) -> None:
        if not 0 < patience_s < math.inf:
            port.close()
            raise SpikeletError(
                f"{port.name}: patience must be above 0 s, not {patience_s:g}",
                remedy=f"such as {PATIENCE_S:g}",
            )
        self.port = port
        self.resend_s = resend_s
        self.watchdog_s = watchdog_s
        self._timer = ResendTimer(resend_s, patience_s / _RESENDS)
        self._line_s = 0.0  # that the line needs for what was sent
        self.patience_s = patience_s
        self._number = secrets.randbelow(256)
        try:
            self._open(reset=reset)
        except BaseException:
            port.close()
            raise

    def _open(self, *, reset: bool) -> None:
        self._number = (self._number + 1 + secrets.randbelow(255)) % 256  # another one
        self._connection = Connection(self._number, reset=reset)
        self._connection.send(_operation(_IDENTIFY, _IDENTITY_WORDS))
        fields = IDENTITY.unpack(self._take(IDENTITY.size))
        magic, version, self.structure, self.clock_hz, log_bytes, self._flit_bytes = fields[:6]
        self._spike_bytes, self._spike_bits = fields[6:]
        if magic != b"SPK" or version != VERSION:
            raise SpikeletError(
                f"{self.port.name}: what answers is no chip of Spikelet's",
                remedy="load the bitstream into the board, or name another port",
            )
        self._connection.buffer_bytes = 1 << log_bytes
        if self.watchdog_s:
            self._connection.send(_operation(_WATCHDOG, self._watchdog_units()))
            self._finish()

    def _watchdog_units(self) -> int:
        """Return the watchdog's time in the chip's units."""
        units: int = math.ceil(self.watchdog_s * self.clock_hz / WATCHDOG_CYCLES)
        most_s = _MOST * WATCHDOG_CYCLES / self.clock_hz
        if not 2 * self.patience_s <= self.watchdog_s <= most_s:
            raise SpikeletError(
                f"{self.port.name}: the watchdog's time must be 0, or in "
                f"{2 * self.patience_s:g}..{most_s:.0f} s, not {self.watchdog_s:g}",
                remedy="it is twice the patience at least, so that it does not bite a driver "
                "that waits",
            )
        return units

    def keep_alive(self) -> None:
        """Let the chip know that its host is there."""
        self._finish()

    @property
    def resent(self) -> int:
        """Bytes that were sent again, since the line had lost them."""
        return self._connection.resent

    def write(self, words: Words) -> None:
        """Write rows of (address, data)."""
        self._connection.send(_writes(words))
        self._finish()

    def read(self, addresses: Words) -> Words:
        """Return the words at these addresses."""
        self._connection.send(_reads(addresses))
        return _words(self._take(4 * len(addresses)))

    def run(self, batch: Batch) -> Ran:
        """Run samples; those that may stop tick by tick, others as far ahead as the line allows."""
        shape = (batch.samples, batch.ticks)
        outputs = np.zeros((*shape, batch.n_outputs), np.uint16)
        words = np.zeros((*shape, len(batch.probes)), np.uint32)
        limit_s = self.patience_s + batch.cycle_limit / self.clock_hz
        stops = batch.stop is not None
        ends = np.full(batch.samples, batch.ticks, np.int64)
        ahead = _NONE if stops else self._requests(batch)
        for sample, tick in np.ndindex(shape):
            if not tick and sample:
                batch.progress(sample)
            if tick >= ends[sample]:
                continue
            if stops:
                self._connection.send(self._request(batch, sample, tick))
            spikes = self._spikes(ahead, limit_s)
            if spikes is None:
                self._open(reset=True)  # the chip hangs; no operation would ever be executed
                place = sample * batch.ticks + tick
                return Ran(outputs, words, place, ends if stops else None)
            self._count(spikes, outputs[sample, tick], batch.output_mask)
            words[sample, tick] = _words(self._take(4 * len(batch.probes), ahead))
            if stops and self._take(4) != bytes(4):
                ends[sample] = tick + 1
        if not batch.ticks and batch.clear:
            self._connection.send(_operation(_CLEAR, batch.samples))
        self._finish()
        return Ran(outputs, words, ticks_run=ends if stops else None)

    def close(self) -> None:
        """Close the port."""
        self.port.close()

    def _requests(self, batch: Batch) -> Iterator[bytes]:
        """Return what is sent for each tick."""
        yield from (self._request(batch, *at) for at in np.ndindex(batch.samples, batch.ticks))

    def _request(self, batch: Batch, sample: int, tick: int) -> bytes:
        """Return what is sent for a tick, from the clear before it to the words read behind it."""
        place = sample * batch.ticks + tick
        clears = _operation(_CLEAR, 1) if batch.clear and not tick else b""
        rows = np.stack([batch.settings, batch.values[sample, tick]], axis=1)
        flits = batch.flits[batch.offsets[place] : batch.offsets[place + 1]]
        events = b"".join(
            _operation(_EVENTS, len(part))
            + part.astype("<u4").view(np.uint8).reshape(-1, 4)[:, : self._flit_bytes].tobytes()
            for part in _parts(flits)
        )
        reads = _reads(batch.probes)
        if batch.stop is not None:
            reads += _reads(np.array([batch.stop], np.uint32))
        return clears + _writes(rows) + events + _operation(_RUN, 1) + reads

    def _count(self, spikes: list[int], counts: npt.NDArray[np.uint16], mask: int) -> None:
        """Add the spikes of a tick, each with a count above the bits of its line, or 0 for 1."""
        sent = np.array(spikes, np.int64)
        lines, stand_for = sent & mask, np.maximum(sent >> self._spike_bits, 1)
        there = lines < len(counts)
        np.add.at(counts, lines[there], stand_for[there].astype(np.uint16))

    def _spikes(self, requests: Iterator[bytes], limit_s: float) -> list[int] | None:
        """Return the spikes of a tick, or None if it does not end in so many seconds."""
        spikes: list[int] = []
        last = 1 << (8 * self._spike_bytes - 1)
        while True:
            if not self._arrived(self._spike_bytes, requests, limit_s):
                return None
            spike = int.from_bytes(self._taken(self._spike_bytes), "little")
            if spike == last:
                return spikes
            spikes.append(spike)

    def _finish(self) -> None:
        """Wait until all that was sent has been executed."""
        self._connection.send(_operation(_IDENTIFY, 1))
        self._take(4)

    def _take(self, size: int, requests: Iterator[bytes] = _NONE) -> bytes:
        """Return so many bytes of the chip's stream."""
        if not self._arrived(size, requests, self.patience_s):
            raise SpikeletError(
                f"{self.port.name}: the chip does not execute what it is sent",
                remedy="reset the board, then start again",
            )
        return self._taken(size)

    def _taken(self, size: int) -> bytes:
        taken = bytes(self._connection.received[:size])
        del self._connection.received[:size]
        return taken

    def _arrived(self, size: int, requests: Iterator[bytes], limit_s: float) -> bool:
        """Wait until so many bytes have come; False if none comes for so long.

        SpikeletError if there is no answer at all for as long as there is patience. No time counts
        in which the line still carries what was sent.
        """
        connection, stream = self._connection, self._connection.received
        silent_s = idle_s = 0.0
        noise = 0
        while len(stream) < size:
            self._send(requests)
            before = len(stream), connection.unacknowledged
            came = self.port.read(self.resend_s / _SLICES)
            noise += len(came)
            # what comes without end and is no answer must not keep the host waiting
            waited_s = self.resend_s / _SLICES
            if came and connection.opened:
                waited_s = len(came) * _BITS / self.port.baud
            self._line_s, waited_s = (
                max(0.0, self._line_s - waited_s),
                max(0.0, waited_s - self._line_s),
            )
            if connection.take(came):
                silent_s = 0.0
                self._timer.heard()
            silent_s += waited_s
            moved = (len(stream), connection.unacknowledged) != before
            idle_s = 0.0 if moved else idle_s + waited_s
            if self._timer.waited(waited_s):
                connection.timed_out()
            if silent_s >= self.patience_s:
                raise self._unanswered(0 if connection.opened else noise)
            if idle_s >= limit_s:
                return False
        return True

    def _unanswered(self, noise: int) -> SpikeletError:
        """Return the error of a port that does not answer, but for so many bytes."""
        what = f"nothing answers at {self.port.baud} baud"
        if noise:
            what += f", but for {noise} bytes that are no answer of a chip"
        return SpikeletError(
            f"{self.port.name}: {what}",
            remedy="load the bitstream into the board (spikelet program FOLDER BOARD --image "
            "host-link); if it is there, it was built for another rate (--baud), its reset button "
            "is held, or it is at another port (spikelet boards --identify)",
        )

    def _send(self, requests: Iterator[bytes]) -> None:
        """Send what can be sent."""
        connection = self._connection
        while connection.unacknowledged < _AHEAD and (more := next(requests, b"")):
            connection.send(more)
        if line := connection.outgoing():
            self.port.write(line)
            self._line_s += len(line) * _BITS / self.port.baud


def _operation(number: int, count: int) -> bytes:
    return struct.pack("<BH", number, count)


def _parts(array: Words) -> Iterator[Words]:
    """Return an array in parts of as many as an operation takes."""
    yield from (array[at : at + _MOST] for at in range(0, len(array), _MOST))


def _runs(addresses: Words) -> Iterator[slice]:
    """Return the places of each run of consecutive addresses."""
    breaks = np.flatnonzero(np.diff(addresses.astype(np.int64)) != 1) + 1
    ends = [0, *breaks.tolist(), len(addresses)]
    for first, last in pairwise(ends):
        yield from (slice(at, min(at + _MOST, last)) for at in range(first, last, _MOST))


def _writes(words: Words) -> bytes:
    rows = np.ascontiguousarray(words, "<u4").reshape(-1, 2)
    return b"".join(
        _operation(_WRITE, run.stop - run.start)
        + rows[run.start, 0].tobytes()
        + rows[run, 1].tobytes()
        for run in _runs(rows[:, 0])
    )


def _reads(addresses: Words) -> bytes:
    at = np.ascontiguousarray(addresses, "<u4")
    return b"".join(
        _operation(_READ, run.stop - run.start) + at[run.start].tobytes() for run in _runs(at)
    )


def _words(line: bytes) -> Words:
    return np.frombuffer(line, "<u4").astype(np.uint32)
