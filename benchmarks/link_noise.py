"""Random and damaged bytes into a host link in gates: what it executes, and how it recovers.

``python -m benchmarks.link_noise``

In turn come: bytes of no frame, of three kinds; connections on a line that damages, loses and
doubles bytes; and each time a new connection on a good line, which must do exactly what it is told.
Golden's link is fed the very same bytes, and the chips behind both note what they are told.
"""

import time
from dataclasses import dataclass, field

import numpy as np
from rich.progress import Progress

from benchmarks.support import (
    console,
    options_of,
    print_versions,
    run,
    verdict,
    versions,
    write_json,
)
from spikelet.description.chip.host_link import ESCAPE, FLAG, OPERATIONS, VERSION, LinkParams
from spikelet.description.errors import SpikeletError
from spikelet.golden.host_link import HostLink as GoldenLink
from spikelet.host.connection import Connection
from spikelet.host.frames import framed
from spikelet.rtl_gen.emit import to_verilog
from spikelet.rtl_gen.host_link import HostLink
from spikelet.sim.noted_chip import NotedChip
from spikelet.sim.noted_link import NotedLink
from spikelet.sim.verilator import Design

__all__ = ["Noise", "main"]

PARAMS = LinkParams(
    flit_bits=14,
    spike_bits=7,
    count_bits=0,
    address_bits=13,
    structure=5,
    clock_hz=12_000_000,
    buffer_bytes=64,
)
_DAMAGE = 0.02  # share of bytes
_SILENCES = 40  # of 50 cycles
_SETTLE = 2_000  # clock cycles


@dataclass
class Noise:
    """Two links, one in gates and one of golden, on one line.

    Parameters
    ----------
    seed : int
    optimise : str
        As for :class:`NotedLink`.

    Attributes
    ----------
    random_bytes : int
        Sent that belong to no frame of a connection.
    damaged_bytes : int
        Of frames of which some byte was damaged.
    executed : int
        Operations, each at its time and with the right data, or the run fails.
    connections, recoveries : int
        On a line that damages, and on a good one after whatever came before.
    """

    seed: int
    optimise: str = "run"
    random_bytes: int = 0
    damaged_bytes: int = 0
    executed: int = 0
    connections: int = 0
    recoveries: int = 0
    _number: int = 0
    _golden: GoldenLink = field(init=False)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)
        design = Design(to_verilog(HostLink(PARAMS), "top"))
        self.gates = NotedLink(design, PARAMS, seed=self.seed, optimise=self.optimise)
        self._chip, self._alone = NotedChip(), NotedChip()
        self._golden = GoldenLink(PARAMS, self._chip)
        self._straight = GoldenLink(PARAMS, self._alone)

    def run(self, random_bytes: int, damaged_bytes: int) -> None:
        """Send so many bytes at least; AssertionError at anything that is executed wrongly."""
        while self.random_bytes < random_bytes or self.damaged_bytes < damaged_bytes:
            if self.random_bytes < random_bytes:
                self.noise()
                self.recover()
            if self.damaged_bytes < damaged_bytes:
                self.damaged()
                self.recover()

    def noise(self) -> None:
        """Send bytes that are no frames of a connection; nothing may happen."""
        kind = self.rng.integers(3)
        size = int(self.rng.integers(1, 3000))
        weights = [*range(256), *[FLAG] * 40, *[ESCAPE] * 20]
        if kind == 0:
            line = self.rng.bytes(size)
        elif kind == 1:
            line = bytes(self.rng.choice(weights, size=size).tolist())
        else:
            line = b"".join(self._foreign() for _ in range(size // 40 + 1))
        self.random_bytes += len(line)
        self._carry(line)
        self._carry(b"", _SETTLE)
        assert not self._compared(), f"noise was executed, seed {self.seed}"

    def _foreign(self) -> bytes:
        """Return a frame that is whole, and of another connection or version."""
        operations = _stream(self.rng, 2)[:40]
        if self.rng.random() < 0.5:
            control, connection = VERSION + 1, self._number
        else:
            control, connection = VERSION, (self._number + 1 + int(self.rng.integers(254))) % 256
        header = bytes([control, connection, *self._golden_end(), 0, 0])
        return framed(header + operations)

    def _golden_end(self) -> bytes:
        return self._golden._end.to_bytes(2, "little")

    def recover(self) -> None:
        """Open a connection on a good line; it must do what it is told, at once."""
        connection = self._exchange(damage=0.0)
        assert connection.resent == 0, f"a good line had to send again, seed {self.seed}"
        self.recoveries += 1

    def damaged(self) -> None:
        """Open a connection on a bad line; it must do what it is told, each once, in order."""
        self._exchange(damage=_DAMAGE)
        self.connections += 1

    def _exchange(self, damage: float) -> Connection:
        self._number = (self._number + 1 + int(self.rng.integers(255))) % 256
        connection = Connection(self._number, payload=PARAMS.buffer_bytes // 2)
        connection.buffer_bytes = PARAMS.buffer_bytes
        stream = _stream(self.rng, 4 if damage == 0 else 30)
        connection.send(stream)
        straight = GoldenLink(PARAMS, self._alone)
        for byte in stream:
            straight.commands.take(byte)
        expected = bytes(straight.commands.sent)
        if damage == 0:
            self._carry(bytes([FLAG]), 0)  # ends what was cut
        silent = 0
        while len(connection.received) < len(expected) or connection.unacknowledged:
            line = connection.outgoing()
            came = self._carry(self._hit(line, damage), 0 if line else 50)
            try:
                heard = connection.take(self._flipped(came, damage)[0])
            except SpikeletError as error:
                raise AssertionError(f"{error}, seed {self.seed}") from error
            silent = 0 if heard or line else silent + 1
            if silent > _SILENCES:
                connection.timed_out()
                silent = 0
        self._carry(b"", _SETTLE)
        told, self._alone.told = self._alone.told, []
        assert self._compared() == told, f"executed otherwise than told, seed {self.seed}"
        assert bytes(connection.received) == expected, f"answered otherwise, seed {self.seed}"
        self.executed += len(told)
        return connection

    def _compared(self) -> list[tuple[str, int, int]]:
        """Return what both chips were told since the last time; they must agree."""
        wanted, self._chip.told = self._chip.told, []
        found = self.gates.told()
        assert found == wanted, f"gates and golden differ, seed {self.seed}"
        return found

    def _carry(self, line: bytes, cycles: int = 0) -> bytes:
        """Send bytes to both links; return what comes from that in gates."""
        self._golden.take(line)
        for _ in self._golden.replies():
            pass
        return self.gates.run(line, cycles)

    def _hit(self, line: bytes, share: float) -> bytes:
        """Return a line to the chip, damaged; count the bytes of the frames that were hit."""
        out = b""
        for frame in line.split(bytes([FLAG])):
            damaged, hits = self._flipped(frame, share)
            self.damaged_bytes += len(frame) if hits else 0
            flag, hits = self._flipped(bytes([FLAG]), share)
            out += damaged + flag
        return out

    def _flipped(self, line: bytes, share: float) -> tuple[bytes, int]:
        """Return a line of which bytes are flipped, lost and doubled, and how many are."""
        if not share:
            return line, 0
        out, hits = bytearray(), 0
        for byte in line:
            if self.rng.random() >= share:
                out.append(byte)
                continue
            hits += 1
            kind = self.rng.integers(3)
            if kind == 0:
                out.append(byte ^ (1 << int(self.rng.integers(8))))
            elif kind == 1:
                out += bytes([byte, byte])
        return bytes(out), hits


def _operation(name: str, count: int, *rest: tuple[int, int]) -> bytes:
    head = bytes([OPERATIONS.index(name)]) + count.to_bytes(2, "little")
    return head + b"".join(value.to_bytes(size, "little") for value, size in rest)


def _stream(rng: np.random.Generator, operations: int) -> bytes:
    """Return random operations."""
    stream = _operation("identify", 4)
    for _ in range(operations):
        count, address = int(rng.integers(7)), int(rng.integers(1 << PARAMS.address_bits))
        words = [(int(rng.integers(1 << 32)), 4) for _ in range(count)]
        flits = [(int(rng.integers(1 << PARAMS.flit_bits)), 2) for _ in range(count)]
        stream += [
            _operation("write", count, (address, 4), *words),
            _operation("read", count, (address, 4)),
            _operation("events", count, *flits) + _operation("run", 1),
            _operation("run", count) + _operation("clear", 1),
        ][rng.integers(4)]
    return stream


def main() -> int:
    """Print what was sent, and what came of it; return 1 if anything went wrong."""
    options = options_of(
        __doc__,
        random={"type": int, "default": 600_000, "help": "bytes of no frame of a connection"},
        damaged={"type": int, "default": 400_000, "help": "bytes of damaged frames"},
        seed={"type": int, "default": 1},
    )
    console.print(f"seed {options.seed}")
    noise = Noise(options.seed)
    began = time.perf_counter()
    wanted = options.random + options.damaged
    with Progress(console=console) as bars:
        bar = bars.add_task("bytes", total=wanted)
        for part in range(1, 101):
            noise.run(options.random * part // 100, options.damaged * part // 100)
            bars.update(bar, completed=noise.random_bytes + noise.damaged_bytes)
    seconds = time.perf_counter() - began
    sent = noise.random_bytes + noise.damaged_bytes
    console.print(
        f"{noise.random_bytes:,} bytes of no frame of a connection, {noise.damaged_bytes:,} of "
        f"damaged frames, in {seconds:.0f} s\n"
        f"{noise.executed:,} operations executed, each as told, once and in order, of "
        f"{noise.connections:,} connections on a line of which {_DAMAGE:.0%} of the bytes are "
        f"damaged, and {noise.recoveries:,} on a good line after anything {verdict(True)}"
    )
    tools = versions("amaranth", "verilator")
    print_versions(tools)
    report = {"bytes": sent, "executed": noise.executed, "seed": options.seed, "versions": tools}
    write_json(options.json, report)
    return int(sent < wanted)


if __name__ == "__main__":
    run(main)
