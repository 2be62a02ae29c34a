"""A link is one class: a driver does the same through a stream of bytes as through anything else.

The link of this file knows nothing of chips. It writes every request into a stream of bytes; at the
other end, a server reads the stream, asks a Verilated chip, and answers in bytes.
"""

import struct

import numpy as np
import pytest

from spikelet.description.chip.memory_map import CHIP_REGISTERS, IDENTIFICATION
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError
from spikelet.golden.chip import GoldenChip
from spikelet.host.driver import Chip
from spikelet.host.link import Batch, Link, Ran, Words
from spikelet.rtl_gen.emit import to_verilog
from spikelet.rtl_gen.joined_chips import whole_chip
from spikelet.sim.verilated_link import VerilatedLink
from spikelet.sim.verilator import Design
from tests.helpers.pieces import check_same_state
from tests.helpers.random_chips import random_chip, random_events
from tests.helpers.random_plastic import random_plastic_chip, random_plastic_image, random_reward

WRITE, READ, CLEAR, TICK = b"wrct"
RECORD = ("spikes", "states", "learning", "checksums")


class Server:
    """Reads requests from a stream of bytes, and asks a chip."""

    def __init__(self, chip: Link) -> None:
        self.chip = chip
        self.taken: list[int] = []

    def answer(self, stream: bytes) -> bytes:
        """Return the answer to one request."""
        self.taken.append(stream[0])
        head, body = stream[:9], stream[9:]
        operation, count, more = struct.unpack("<BII", head)
        if operation == WRITE:
            self.chip.write(np.frombuffer(body, "<u4").reshape(count, 2))
            return b""
        if operation == READ:
            return self.chip.read(np.frombuffer(body, "<u4")).astype("<u4").tobytes()
        if operation == CLEAR:
            ran = self.chip.run(Batch.clearing(count))
            return bytes([ran.unfinished is None])
        assert operation == TICK
        limit, mask, shift = struct.unpack("<IIB", body[:9])
        none = np.zeros(0, np.uint32)
        flits = np.frombuffer(body[9:], "<u4")
        assert len(flits) == count
        ran = self.chip.run(
            Batch(
                *(1, 1, False, np.array([0, count]), flits, none),
                *(np.zeros((1, 1, 0), np.uint32), none, more, mask, limit, shift),
            )
        )
        return bytes([ran.unfinished is None]) + ran.outputs.astype("<u2").tobytes()


class ByteStream:
    """A link that carries a tick at a time."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.closed = False

    def _ask(self, operation: int, count: int, more: int, body: bytes) -> bytes:
        return self.server.answer(struct.pack("<BII", operation, count, more) + body)

    def write(self, words: Words) -> None:
        self._ask(WRITE, len(words), 0, words.astype("<u4").tobytes())

    def read(self, addresses: Words) -> Words:
        said = self._ask(READ, len(addresses), 0, addresses.astype("<u4").tobytes())
        return np.frombuffer(said, "<u4").astype(np.uint32)

    def run(self, batch: Batch) -> Ran:
        shape = (batch.samples, batch.ticks)
        outputs = np.zeros((*shape, batch.n_outputs), np.uint16)
        words = np.zeros((*shape, len(batch.probes)), np.uint32)
        for sample in range(batch.samples):
            place = sample * batch.ticks
            if batch.clear and self._ask(CLEAR, batch.cycle_limit, 0, b"") != b"\1":
                return Ran(outputs, words, place)
            for tick in range(batch.ticks):
                place = sample * batch.ticks + tick
                if batch.settings.size:
                    self.write(np.stack([batch.settings, batch.values[sample, tick]], axis=1))
                flits = batch.flits[batch.offsets[place] : batch.offsets[place + 1]]
                limits = struct.pack(
                    "<IIB", batch.cycle_limit, batch.output_mask, batch.count_shift
                )
                body = limits + flits.astype("<u4").tobytes()
                said = self._ask(TICK, len(flits), batch.n_outputs, body)
                if said[:1] != b"\1":
                    return Ran(outputs, words, place)
                outputs[sample, tick] = np.frombuffer(said[1:], "<u2")
                words[sample, tick] = self.read(batch.probes)
        return Ran(outputs, words)

    def close(self) -> None:
        self.server.chip.close()
        self.closed = True


def linked(chip: ChipParams) -> ByteStream:
    design = Design(to_verilog(whole_chip(chip), "chip"))
    return ByteStream(Server(VerilatedLink(design, optimise="build")))


CHIPS = {"plastic": random_plastic_chip(np.random.default_rng(1052), most_cores=1)}
CHIPS["plain"] = random_chip(np.random.default_rng(3), most_cores=2)


@pytest.mark.parametrize("kind", CHIPS)
def test_a_driver_works_through_a_stream_of_bytes(kind: str) -> None:
    chip = CHIPS[kind]
    rng = np.random.default_rng(5)
    image = random_plastic_image(rng, chip)
    events = random_events(rng, chip, samples=3, ticks=10)
    reward = random_reward(rng, chip, events.samples, events.ticks)
    golden = GoldenChip(chip, image)
    link = linked(chip)
    with Chip(chip, link, name="stream") as driver:
        driver.load(image)
        first = driver.run(events, record=RECORD, reward=reward)
        expected = golden.run(events, record=RECORD, reward=reward)
        assert first.engine == "stream"
        assert set(first.compared(expected)) >= {"outputs", "spikes", "states", "checksums"}
        assert first.first_difference(expected) is None
        assert any(fired.any() for fired in expected.spikes)

        state = driver.snapshot()
        check_same_state(state, golden.snapshot())
        if kind == "plastic":
            driver.learn(False)
            golden.learn(False)
        second = driver.run(events, record=RECORD, reward=reward, clear=False)
        again = golden.run(events, record=RECORD, reward=reward, clear=False)
        assert second.first_difference(again) is None

        golden.restore(state)
        third = driver.run(events, record=RECORD, reward=reward, start=state)
        assert (
            third.first_difference(golden.run(events, record=RECORD, reward=reward, clear=False))
            is None
        )
        if kind == "plastic":
            assert third.first_difference(second) is not None, "learning changed nothing"
    assert link.closed
    assert {WRITE, READ, CLEAR, TICK} == set(link.server.taken)


def test_a_tick_that_does_not_end_is_named() -> None:
    chip = CHIPS["plain"]
    events = random_events(np.random.default_rng(5), chip)
    with Chip(chip, linked(chip), name="stream") as driver:
        with pytest.raises(SpikeletError, match=r"^stream: load an image first$"):
            driver.snapshot()
        message = r"^stream: sample 0, tick 0 did not end within 2 clock cycles$"
        with pytest.raises(SpikeletError, match=message):
            driver.run(events, cycle_limit=2)


@pytest.mark.parametrize(
    ("identification", "structure", "message"),
    [
        (0, 0, r"^link: register identification is 0x00000000, not 0x[0-9a-f]{8}: this is no chip"),
        (IDENTIFICATION, 0, r"^link: the design has structure 00000000, the chip description "),
    ],
)
def test_what_is_not_this_chip_is_refused_and_the_link_closed(
    identification: int, structure: int, message: str
) -> None:
    class Foreign:
        """Answers with registers of its own."""

        closed = False

        def read(self, addresses: Words) -> Words:
            registers = {"identification": identification, "structure": structure}
            return np.array([registers[CHIP_REGISTERS[at]] for at in addresses], np.uint32)

        def write(self, words: Words) -> None:
            raise AssertionError

        def run(self, batch: Batch) -> Ran:
            raise AssertionError

        def close(self) -> None:
            self.closed = True

    link = Foreign()
    with pytest.raises(SpikeletError, match=message):
        Chip(CHIPS["plain"], link, name="link")
    assert link.closed
