"""The model of a serial flash answers as its data sheet says."""

from collections.abc import Iterator

import pytest

from spikelet.description.errors import SpikeletError
from spikelet.sim.spi_flash import SpiFlash

HALF_S = 20e-9


class Master:
    """Drives the pins, most significant bit first."""

    def __init__(self, flash: SpiFlash, idle: int) -> None:
        self.flash = flash
        self.idle = idle  # level of the clock while nothing is selected: SPI mode 0 or 3
        self.seconds = 0.0

    def pins(self, cs: int, clock: int, mosi: int) -> int:
        self.seconds += HALF_S
        return self.flash.pins(cs, clock, mosi, self.seconds)

    def transfer(self, sent: bytes, returned: int = 0, bits: int = 8) -> bytes:
        """Send bytes, the last of them only in part, and return what comes behind them."""
        self.pins(1, self.idle, 0)
        self.pins(0, self.idle, 0)
        came = []
        for number, byte in enumerate(sent + bytes(returned)):
            value = 0
            for bit in range(bits if number == len(sent) - 1 else 8):
                self.pins(0, 0, byte >> (7 - bit) & 1)
                value = value << 1 | self.pins(0, 1, byte >> (7 - bit) & 1)
            came.append(value)
        self.pins(0, self.idle, 0)
        self.pins(1, self.idle, 0)
        return bytes(came[len(sent) :])

    def wake(self) -> None:
        self.transfer(b"\xab")
        self.seconds += 3e-6


@pytest.fixture(params=[0, 1], ids=["mode 0", "mode 3"])
def master(request: pytest.FixtureRequest) -> Iterator[Master]:
    flash = SpiFlash(log_size=16)
    flash.store(bytes(range(200)), 0x1234)
    yield Master(flash, request.param)
    flash.close()


def test_it_reads_from_an_address_on_and_wraps(master: Master) -> None:
    master.wake()
    assert master.transfer(b"\x03\x00\x12\x36", 20) == bytes(range(2, 22))
    assert master.transfer(b"\x0b\x00\x12\x34\x00", 3) == b"\x00\x01\x02"
    master.flash.store(b"\x55", 0xFFFF)
    master.flash.store(b"\xaa", 0)
    assert master.transfer(b"\x03\x00\xff\xff", 2) == b"\x55\xaa"
    assert master.transfer(b"\x03\x00\x00\x00", 2) == b"\xaa\xff"  # erased bytes are 1s
    assert master.flash.read_bytes >= 27


def test_it_says_what_it_is(master: Master) -> None:
    master.wake()
    assert master.transfer(b"\x9f", 4) == b"\xef\x40\x10\xff"
    assert master.transfer(b"\xab\x00\x00\x00", 1) == b"\x0f"


def test_in_power_down_it_only_wakes(master: Master) -> None:
    assert master.transfer(b"\x9f", 3) == b"\xff\xff\xff"
    assert master.transfer(b"\x03\x00\x12\x36", 2) == b"\xff\xff"
    master.transfer(b"\xab", bits=7)  # not a whole command
    master.seconds += 3e-6
    assert master.transfer(b"\x9f", 3) == b"\xff\xff\xff"
    master.transfer(b"\xab")
    assert master.transfer(b"\x9f", 3) == b"\xff\xff\xff"  # too early
    master.seconds += 3e-6
    assert master.transfer(b"\x9f", 3) == b"\xef\x40\x10"
    master.transfer(b"\xb9")
    assert master.transfer(b"\x9f", 3) == b"\xff\xff\xff"


def test_an_unknown_command_does_nothing(master: Master) -> None:
    master.wake()
    assert master.transfer(b"\x02\x00\x12\x34\x00", 2) == b"\xff\xff"
    assert master.transfer(b"\x03\x00\x12\x34", 2) == b"\x00\x01"


def test_what_does_not_fit_is_refused() -> None:
    flash = SpiFlash(log_size=8)
    flash.store(bytes(256))
    with pytest.raises(SpikeletError, match=r"^flash: 256 bytes at address 0x1 do not fit in 256"):
        flash.store(bytes(256), 1)
    with pytest.raises(SpikeletError, match=r"^flash: 1 bytes at address -0x1 "):
        flash.store(b"1", -1)
    with pytest.raises(SpikeletError, match="log_size"):
        SpiFlash(log_size=25)
    flash.close()
    with pytest.raises(SpikeletError, match=r"^flash: it was closed"):
        flash.store(b"1")
