"""Event files made here, in the layouts of public data sets: small, and by a seed."""

from pathlib import Path
from typing import Any

import h5py  # type: ignore[import-untyped]
import numpy as np
import numpy.typing as npt

__all__ = [
    "EVENTS",
    "cochlea",
    "evt21_words",
    "moving_bar",
    "write_csv",
    "write_evt21",
    "write_nmnist",
    "write_shd",
]

EVENTS = np.dtype([("x", "<i2"), ("y", "<i2"), ("t", "<i8"), ("p", "?")])
"""As tonic has them."""


def moving_bar(
    direction: int, seed: int, *, sensor: int = 34, events: int = 2000, duration: int = 100_000
) -> npt.NDArray[Any]:
    """Return what a camera sees of a bar that moves in one of four directions, with noise.

    The edge in front is on, that behind off; 0: to the right, 1: to the left, 2: down, 3: up.
    """
    rng = np.random.default_rng(seed)
    found = np.zeros(events, EVENTS)
    found["t"] = np.sort(rng.integers(0, duration, events))
    place = found["t"] / duration * (sensor - 6)
    front = rng.random(events) < 0.5
    along = np.where(front, place + 5, place).astype(int) + rng.integers(0, 2, events)
    across = rng.integers(0, sensor, events)
    if direction % 2:
        along = sensor - 1 - along
    noise = rng.random(events) < 0.1
    along[noise] = rng.integers(0, sensor, noise.sum())
    found["x"], found["y"] = (along, across) if direction < 2 else (across, along)
    found["p"] = front ^ (noise & (rng.random(events) < 0.5))
    return found


def write_nmnist(path: Path, events: npt.NDArray[Any]) -> Path:
    """Write events in N-MNIST's 5 bytes; a time from 2^23 us on begins anew."""
    path.parent.mkdir(parents=True, exist_ok=True)
    raw = np.empty((len(events), 5), np.uint8)
    raw[:, 0], raw[:, 1] = events["x"], events["y"]
    raw[:, 2] = (events["p"].astype(int) << 7) | (events["t"] >> 16 & 127)
    raw[:, 3], raw[:, 4] = events["t"] >> 8 & 255, events["t"] & 255
    path.write_bytes(raw.tobytes())
    return path


def evt21_words(events: npt.NDArray[Any]) -> list[int]:
    """Return events as the 64-bit words of EVT2.1, of as many pixels as follow in a row of 32."""
    words: list[int] = []
    upper, last = -1, None
    for t, x, y, p in ((int(e["t"]), int(e["x"]), int(e["y"]), int(e["p"])) for e in events):
        if t >> 6 != upper:
            upper, last = t >> 6, None
            words.append(0x8 << 60 | (upper & (1 << 28) - 1) << 32)
        here = (t, x // 32, y, p)
        if last is not None and last[0] == here and x > last[1]:
            words[-1] |= 1 << x % 32
        else:
            words.append(p << 60 | (t & 63) << 54 | x // 32 * 32 << 43 | y << 32 | 1 << x % 32)
        last = (here, x)
    return words


def write_evt21(
    path: Path,
    words: list[int],
    order: str = ";endianness=little",
    sensor: str = "34x34",
    *,
    legacy: bool = False,
) -> Path:
    """Write words of EVT2.1; ``legacy``: their upper halves first."""
    header = f"% evt 2.1\n% format EVT21{order}\n% geometry {sensor}\n% end\n"
    swapped = [word >> 32 | (word & (1 << 32) - 1) << 32 for word in words] if legacy else words
    path.write_bytes(header.encode() + np.array(swapped, "<u8").tobytes())
    return path


def write_csv(path: Path, events: npt.NDArray[Any], header: str = "t,x,y,p\n") -> Path:
    """Write events as text."""
    lines = (f"{e['t']},{e['x']},{e['y']},{int(e['p'])}\n" for e in events)
    path.write_text(header + "".join(lines))
    return path


def cochlea(word: int, seed: int, *, units: int = 700) -> tuple[npt.NDArray[Any], ...]:
    """Return times in seconds and units of a sweep: 0 rises, 1 falls, 2 does both."""
    rng = np.random.default_rng(seed)
    t = np.sort(rng.random(rng.integers(600, 900))) * rng.uniform(0.6, 1.0)
    height = {0: t, 1: 1 - t, 2: np.abs(2 * t - 1)}[word]
    at = np.clip(height * units + rng.normal(0, units / 30, len(t)), 0, units - 1)
    return t.astype(np.float16), at.astype(np.uint16)


def write_shd(
    path: Path, samples: list[tuple[npt.NDArray[Any], ...]], labels: list[int] | None
) -> Path:
    """Write spikes as SHD has them."""
    with h5py.File(path, "w") as file:
        group = file.create_group("spikes")
        for index, (name, kind) in enumerate((("times", np.float16), ("units", np.uint16))):
            data = group.create_dataset(name, (len(samples),), h5py.vlen_dtype(kind))
            for number, sample in enumerate(samples):
                data[number] = sample[index]
        if labels is not None:
            file["labels"] = np.array(labels, np.uint8)
    return path
