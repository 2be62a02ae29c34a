# amaranth: UnusedElaboratable=no
"""The reader of a serial flash."""

import pytest

from spikelet.description.errors import SpikeletError
from spikelet.rtl_gen.flash_reader import FlashReader
from tests.cosim.support import SEEDS, Bench, cases


@pytest.fixture(
    scope="module", params=cases(slow=(1 << 20, 12_000_000), fast=(0xABCDE, 90_000_000))
)
def bench(request: pytest.FixtureRequest) -> Bench:
    """Build a reader."""
    offset, clock_hz = request.param
    reader = FlashReader(offset, clock_hz)
    assert clock_hz / (2 * reader.half) <= 20_000_000
    return Bench(reader, offset=offset, clock_hz=clock_hz, half=reader.half)


@pytest.mark.parametrize("seed", SEEDS)
def test_flash_reader(bench, seed, tmp_path):
    bench.run(seed, tmp_path)


def test_an_address_of_more_than_three_bytes_is_refused() -> None:
    with pytest.raises(SpikeletError, match=r"^flash reader: offset must be .* not 16777216"):
        FlashReader(1 << 24, 12_000_000)
