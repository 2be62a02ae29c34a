"""The bytes in docs/host-link.md are those of a chip and of a driver."""

import re
from pathlib import Path

from spikelet.description.chip.host_link import FLAG, IDENTITY, OPERATIONS, LinkParams
from spikelet.golden.host_link import HostLink
from spikelet.host.connection import Connection
from spikelet.sim.noted_chip import NotedChip

PAGE = (Path(__file__).parents[2] / "docs" / "host-link.md").read_text()


class SpikingChip(NotedChip):
    """The chip of the example, whose output line 5 spikes in every tick."""

    def tick(self) -> list[int]:
        super().tick()
        return [5]


def test_the_example() -> None:
    params = LinkParams(
        flit_bits=14, spike_bits=7, count_bits=0, address_bits=13, structure=5, clock_hz=12_000_000
    )
    chip = SpikingChip()
    link, connection = HostLink(params, chip), Connection(7)
    streams = [
        b"",
        bytes.fromhex("05 0400"),
        bytes.fromhex("00 0100 02000000 78563412 01 0100 02000000 02 0200 0300 7e00 03 0100"),
        b"",
    ]
    lines = re.findall(r"^([><]) ([0-9a-f ]+)$", PAGE, re.MULTILINE)
    assert [way for way, _ in lines] == [">", "<"] * 3 + [">"]
    for way, text in lines:
        line = bytes.fromhex(text)
        if way == ">":
            connection.send(streams.pop(0))
            assert connection.outgoing() == line
            link.take(line)
        else:
            assert list(link.replies()) == [line]
            connection.take(line)
    assert not streams
    assert chip.told == [
        ("write", 2, 0x12345678),
        ("read", 2, 0),
        ("event", 3, 0),
        ("event", 126, 0),
        ("tick", 0, 0),
    ]
    assert connection.received.endswith(bytes.fromhex("78563412 05 80"))


def test_the_operations() -> None:
    named = re.findall(r"^\| (\d) \| (\w+) \|", PAGE.partition("## Operations")[2], re.MULTILINE)
    assert [(int(number), name) for number, name in named] == list(enumerate(OPERATIONS))
    assert f"*count* words, of which there are {IDENTITY.size // 4}" in PAGE


def test_the_example_over_spi() -> None:
    """What goes each way holds the first frames of the example, and flags."""
    part = PAGE.partition("## SPI")[2]
    sides = {
        side: [bytes.fromhex(text) for text in re.findall(rf"^{side}: ([0-9a-f ]+)$", part, re.M)]
        for side in ("host", "chip")
    }
    assert [len(line) for line in sides["host"]] == [len(line) for line in sides["chip"]]
    first = {way: bytes.fromhex(text) for way, text in re.findall(r"^([><]) (.*)$", PAGE, re.M)[:2]}
    flags = bytes([FLAG])
    for side, way in (("host", ">"), ("chip", "<")):
        joined = b"".join(sides[side])
        assert joined.strip(flags) == first[way].strip(flags)
        assert len(joined) - len(joined.lstrip(flags)) >= 1
    assert set(sides["host"][1]) == set(sides["chip"][0]) == {FLAG}
