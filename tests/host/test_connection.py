"""A connection loses nothing on a line that damages, drops and doubles bytes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikelet.description.chip.host_link import ESCAPE, FLAG, OPERATIONS, VERSION, LinkParams
from spikelet.description.errors import SpikeletError
from spikelet.golden.frame_receiver import FrameReceiver
from spikelet.golden.frame_transmitter import frame
from spikelet.golden.host_link import HostLink
from spikelet.host.connection import Connection
from spikelet.host.frames import FrameReader, framed
from spikelet.sim.noted_chip import NotedChip

PARAMS = LinkParams(
    flit_bits=14,
    spike_bits=7,
    count_bits=2,
    address_bits=13,
    structure=5,
    clock_hz=12_000_000,
    buffer_bytes=64,
)


def operation(name: str, count: int, *rest: tuple[int, int]) -> bytes:
    """Return an operation, and numbers with their sizes in bytes."""
    head = bytes([OPERATIONS.index(name)]) + count.to_bytes(2, "little")
    return head + b"".join(value.to_bytes(size, "little") for value, size in rest)


def damaged(rng: np.random.Generator, line: bytes, rate: float) -> bytes:
    """Return a line of which bytes are flipped, lost and doubled."""
    out = bytearray()
    for byte in line:
        if rng.random() >= rate:
            out.append(byte)
            continue
        kind = rng.integers(3)
        if kind == 0:
            out.append(byte ^ (1 << int(rng.integers(8))))
        elif kind == 1:
            out += bytes([byte, byte])
    return bytes(out)


def exchange(connection: Connection, link: HostLink, rng: np.random.Generator, rate: float) -> None:
    """Carry bytes both ways until nothing is left to be said."""
    silent = 0
    for _ in range(20_000):
        to_chip = connection.outgoing()
        link.take(damaged(rng, to_chip, rate))
        heard = connection.take(damaged(rng, b"".join(link.replies()), rate))
        silent = 0 if to_chip or heard else silent + 1
        if silent > 2:
            done = connection.opened and not connection.unacknowledged
            if done and len(connection.received) == len(link.commands.sent):
                return
            connection.timed_out()
    raise AssertionError("the connection does not come to an end")


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), rate=st.sampled_from([0, 0.001, 0.01, 0.03]))
def test_every_operation_is_executed_once_and_every_answer_arrives(seed: int, rate: float) -> None:
    rng = np.random.default_rng(seed)
    stream = operation("identify", 4)
    for _ in range(60):
        count = int(rng.integers(0, 9))
        address = int(rng.integers(1 << 13))
        words = [(int(rng.integers(1 << 32)), 4) for _ in range(count)]
        flits = [(int(rng.integers(1 << 14)), 2) for _ in range(count)]
        stream += [
            operation("write", count, (address, 4), *words),
            operation("read", count, (address, 4)),
            operation("events", count, *flits) + operation("run", 1),
            operation("clear", 1) + operation("run", count),
        ][rng.integers(4)]
    straight = HostLink(PARAMS, NotedChip())
    for byte in stream:
        straight.commands.take(byte)

    link = HostLink(PARAMS, NotedChip())
    connection = Connection(int(rng.integers(256)), payload=50)
    connection.buffer_bytes = PARAMS.buffer_bytes
    connection.send(stream)
    exchange(connection, link, rng, rate)
    assert link.chip.told == straight.chip.told
    assert bytes(connection.received) == bytes(straight.commands.sent)
    assert bytes(connection.received[:16]) == PARAMS.identity
    assert (connection.resent > 0) <= (rate > 0)


@given(content=st.binary(min_size=10, max_size=80), cut=st.integers(1, 30))
def test_both_ends_agree_on_frames(content: bytes, cut: int) -> None:
    content += bytes([FLAG, ESCAPE, FLAG ^ 0x20])
    line = framed(content)
    assert line == frame(content)
    assert line.count(FLAG) == 2
    chip_end = FrameReceiver()
    assert [found for byte in line if (found := chip_end.take(byte))] == [content]
    reader = FrameReader()
    pieces = [line[at : at + cut] for at in range(0, len(line), cut)]
    assert [found for piece in pieces for found in reader.read(piece)] == [content]


@given(line=st.binary(max_size=300))
def test_after_any_bytes_the_next_frame_is_received(line: bytes) -> None:
    chip_end, reader = FrameReceiver(), FrameReader()
    found = [content for byte in line + frame(b"0123456") if (content := chip_end.take(byte))]
    assert found[-1] == b"0123456"
    assert list(reader.read(line + framed(b"0123456")))[-1] == b"0123456"


def test_a_foreign_version_connection_and_operation_are_named() -> None:
    connection = Connection(3)
    connection.outgoing()
    other = bytes([VERSION + 1, 3, 0, 0, 0, 0, 0, 0])
    with pytest.raises(SpikeletError, match=r"the chip's link is of version 2, this driver's of 1"):
        connection.take(framed(other))
    assert not connection.take(framed(bytes([VERSION, 9, 0, 0, 0, 0, 0, 0])))
    assert connection.take(framed(bytes([VERSION, 3, 0, 0, 0, 0, 0, 0])))
    with pytest.raises(SpikeletError, match=r"the chip has forgotten this connection"):
        connection.take(framed(bytes([VERSION, 9, 0, 0, 0, 0, 0, 0])))

    link, connection = HostLink(PARAMS, NotedChip()), Connection(4)
    connection.send(bytes([len(OPERATIONS), 1, 0]) + operation("clear", 1))
    with pytest.raises(SpikeletError, match=r"does not know an operation"):
        exchange(connection, link, np.random.default_rng(0), 0)
    assert link.chip.told == []
