"""A line over SPI, with a device that is none."""

import pytest

from spikelet.description.chip.host_link import FLAG
from spikelet.description.errors import SpikeletError
from spikelet.host import ports, spi_port
from spikelet.host.frames import FrameReader, framed
from spikelet.host.ports import opened_port
from spikelet.host.spi_port import SpiPort


class Device:
    """A target that answers some transfers later, and sends flags before and behind."""

    def __init__(self, answer: bytes, after: int) -> None:
        self.waiting = bytes([FLAG]) * after + answer
        self.got = b""
        self.fails = False

    def exchange(self, line: bytes, duplex: bool) -> bytes:
        assert duplex
        if self.fails:
            raise OSError("no such device")
        self.got += line
        sent, self.waiting = self.waiting[: len(line)], self.waiting[len(line) :]
        return sent + bytes([FLAG]) * (len(line) - len(sent))


@pytest.mark.parametrize("after", [0, 3, 64, 66, 67, 150])
def test_frames_come_out_from_between_flags(after: int) -> None:
    contents = [b"first frame", bytes(range(200)), b"last"]
    device = Device(b"".join(map(framed, contents)), after)
    port = SpiPort("cable", 1_000_000, device)
    assert port.baud == 1_250_000
    port.write(b"abc")
    reader, found = FrameReader(), []
    for _ in range(10):
        found += reader.read(port.read(0.0))
    assert found == contents
    assert reader.broken == 0
    assert device.got[:3] == b"abc"
    assert set(device.got[3:]) == {FLAG}
    assert port.read(0.0) == b""
    port.close()


def test_a_frame_that_ends_with_a_transfer_is_ended_by_the_flags_of_the_next() -> None:
    content = bytes(59)  # with the CRC and the flag before it a transfer of 64 bytes
    port = SpiPort("cable", 1_000_000, Device(framed(content), 0))
    reader = FrameReader()
    assert list(reader.read(port.read(0.0))) == []
    assert list(reader.read(port.read(0.0))) == [content]


def test_a_cable_that_was_pulled_is_named() -> None:
    device = Device(b"", 0)
    port = SpiPort("cable", 1_000_000, device)
    device.fails = True
    with pytest.raises(SpikeletError, match=r"^cable: the connection is lost: no such device"):
        port.write(b"a")


def test_the_name_of_a_port_says_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []
    monkeypatch.setattr(ports, "SerialPort", lambda *given: opened.append(("serial", *given)))
    monkeypatch.setattr(ports, "SpiPort", lambda *given: opened.append(("SPI", *given)))
    for name in ("/dev/ttyUSB1", "COM3", "ftdi://ftdi:232h/1"):
        opened_port(name, 115_200)
    kinds = [(kind, name) for kind, name, _ in opened]
    assert kinds == [("serial", "/dev/ttyUSB1"), ("serial", "COM3"), ("SPI", "ftdi://ftdi:232h/1")]
    assert {rate for *_, rate in opened} == {115_200}


def test_an_spi_cable_needs_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(package: str, what: str) -> None:
        raise SpikeletError(f"{package} is not installed, and {what} needs it", remedy="[spi]")

    monkeypatch.setattr(spi_port, "require", missing)
    with pytest.raises(SpikeletError, match="pyftdi is not installed"):
        opened_port("ftdi://ftdi:232h/1", 1_000_000)
