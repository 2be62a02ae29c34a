"""How fast events are read and binned: ``python -m benchmarks.event_data``.

Files of 100 MB, made here by a script in the layouts that are read, into spikes of 10 ms a tick,
one sample in memory at a time; SHD's units by ten. Beside it, in turn, numpy alone, which reads the
same file whole into the same numbers and goes no further (SHD: h5py). Times are the least of all
rounds, from opening the file on, which the system has in memory; those of the processor stand
beside them. The goal is 50 MB/s of the processor's time: one thread that waits for no disk takes as
long by the clock, where nothing else runs.
"""

import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
import numpy.typing as npt

from benchmarks.support import (
    console,
    options_of,
    print_versions,
    run,
    verdict,
    versions,
    write_json,
)
from spikelet.event_data.binning import Binning
from spikelet.event_data.convert import Tally, binned, planned
from spikelet.event_data.event_readers import open_events

GOAL = 50.0
"""MB/s."""

_SIDE = 34
_DTYPE = np.dtype([("t", "<i8"), ("x", "<i2"), ("y", "<i2"), ("p", "?")])


class Layout(NamedTuple):
    """A layout that is measured.

    Attributes
    ----------
    write : callable
        Makes a file, or a folder, of so many bytes.
    alone : callable
        Reads its numbers with numpy alone, and returns how many events there are.
    binning : Binning
    """

    write: Callable[[Path, int], None]
    alone: Callable[[Path], int]
    binning: Binning


def events(count: int, duration: int) -> npt.NDArray[Any]:
    """Return events at random, in the order of time."""
    rng = np.random.default_rng(0)
    found = np.zeros(count, _DTYPE)
    found["t"] = np.sort(rng.integers(0, duration, count))
    for name, most in (("x", _SIDE), ("y", _SIDE), ("p", 2)):
        found[name] = rng.integers(0, most, count)
    return found


def nmnist_bytes(found: npt.NDArray[Any]) -> bytes:
    """Return events as N-MNIST's."""
    raw = np.empty((len(found), 5), np.uint8)
    raw[:, 0], raw[:, 1] = found["x"], found["y"]
    raw[:, 2] = (found["p"].astype(int) << 7) | found["t"] >> 16
    raw[:, 3], raw[:, 4] = found["t"] >> 8 & 255, found["t"] & 255
    return raw.tobytes()


def write_nmnist(path: Path, size: int) -> None:
    """Write one file; its times are within 2^23 us."""
    path.write_bytes(nmnist_bytes(events(size // 5, 8_000_000)))


def write_folder(path: Path, size: int) -> None:
    """Write files of 4,000 events and 300 ms, as N-MNIST's are, in ten classes."""
    content = nmnist_bytes(events(4000, 300_000))
    for index in range(size // len(content)):
        file = path / f"{index % 10}" / f"{index:05}.bin"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)


def nmnist_alone(path: Path) -> int:
    """Read N-MNIST's bytes."""
    files = sorted(path.glob("*/*")) if path.is_dir() else [path]
    count = 0
    for file in files:
        raw = np.fromfile(file, np.uint8).reshape(-1, 5)
        t = ((raw[:, 2] & 127).astype(np.int64) << 16) | (raw[:, 3].astype(np.int64) << 8)
        t |= raw[:, 4]
        x, y, p = raw[:, 0].copy(), raw[:, 1].copy(), raw[:, 2] >> 7
        count += min(len(t), len(x), len(y), len(p))
    return count


def write_array(path: Path, size: int) -> None:
    """Write a structured array."""
    np.save(path, events(size // _DTYPE.itemsize, 60_000_000))


def array_alone(path: Path) -> int:
    """Read a structured array."""
    found = np.load(path)
    fields = [found[name].copy() for name in "txyp"]
    return min(map(len, fields))


def write_csv(path: Path, size: int) -> None:
    """Write lines of some 17 bytes."""
    found = events(size // 17, 60_000_000)
    with open(path, "w") as file:
        file.write("t,x,y,p\n")
        for first in range(0, len(found), 1 << 16):
            part = found[first : first + (1 << 16)]
            table = np.stack([part[name].astype(int) for name in "txyp"], axis=1).tolist()
            file.write("".join(f"{t},{x},{y},{p}\n" for t, x, y, p in table))


def csv_alone(path: Path) -> int:
    """Read text by numpy's own parser."""
    return len(np.loadtxt(path, np.int64, delimiter=",", skiprows=1))


def write_shd(path: Path, size: int) -> None:
    """Write samples of 8,000 spikes, as SHD's are."""
    rng = np.random.default_rng(0)
    t = np.sort(rng.random(8000)).astype(np.float16)
    units = rng.integers(0, 700, 8000).astype(np.uint16)
    with h5py.File(path, "w") as file:
        count = size // (t.nbytes + units.nbytes)
        for name, values in (("times", t), ("units", units)):
            kind = h5py.vlen_dtype(values.dtype)
            data = file.create_dataset(f"spikes/{name}", (count,), kind)
            for index in range(count):
                data[index] = values
        file["labels"] = np.arange(count) % 20


def shd_alone(path: Path) -> int:
    """Read ragged arrays."""
    with h5py.File(path, "r") as file:
        times, units = file["spikes/times"][()], file["spikes/units"][()]
    return sum(min(len(t), len(x)) for t, x in zip(times, units, strict=True))


_CAMERA = {"bin": 10_000, "sensor": (_SIDE, _SIDE)}
LAYOUTS = {
    "N-MNIST .bin, one file": Layout(write_nmnist, nmnist_alone, Binning(ticks=800, **_CAMERA)),
    "N-MNIST, folder": Layout(write_folder, nmnist_alone, Binning(ticks=30, **_CAMERA)),
    "numpy .npy": Layout(write_array, array_alone, Binning(ticks=6000, **_CAMERA)),
    "CSV": Layout(write_csv, csv_alone, Binning(ticks=6000, **_CAMERA)),
    "SHD .h5": Layout(write_shd, shd_alone, Binning(10_000, 100, (700, 1), downsample=10)),
}
SUFFIXES = {"numpy .npy": ".npy", "CSV": ".csv", "SHD .h5": ".h5", "N-MNIST .bin, one file": ".bin"}


def read(path: Path, binning: Binning) -> int:
    """Read and bin a file, and return its events."""
    file, tally = open_events(path), Tally()
    grid, _ = planned(file, binning)
    for _ in binned(file, grid, tally):
        pass
    return tally.spikes + tally.merged + tally.late


def measured(path: Path, layout: Layout, rounds: int) -> dict[str, float]:
    """Return MB, events, MB/s of both, their ratio, and the most memory of one reading."""
    files = [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]
    megabytes = sum(file.stat().st_size for file in files) / 1e6
    best = dict.fromkeys(("ours", "alone", "ours, processor", "alone, processor"), float("inf"))
    counts = set()
    for _ in range(rounds):
        for name, call in (
            ("ours", lambda: read(path, layout.binning)),
            ("alone", lambda: layout.alone(path)),
        ):
            began, busy = time.perf_counter(), time.process_time()
            counts.add(call())
            best[name] = min(best[name], time.perf_counter() - began)
            processor = f"{name}, processor"
            best[processor] = min(best[processor], time.process_time() - busy)
    assert len(counts) == 1, "both must see the same events"
    tracemalloc.start()
    read(path, layout.binning)
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    rates = {name: megabytes / seconds for name, seconds in best.items()}
    ratio = rates["ours, processor"] / rates["alone, processor"]
    more = {"megabytes": megabytes, "events": float(counts.pop()), "ratio": ratio, "peak": peak}
    return {**more, **rates}


def main() -> int:
    """Measure all layouts; return 1 if one misses the goal."""
    options = options_of(
        (__doc__ or "").splitlines()[0],
        megabytes={"type": int, "default": 100},
        rounds={"type": int, "default": 3},
    )
    tools = versions("h5py")
    print_versions(tools)
    report: dict[str, Any] = {"versions": tools, "layouts": {}}
    for name, layout in LAYOUTS.items():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"events{SUFFIXES.get(name, '')}"
            layout.write(path, options.megabytes * 1_000_000)
            found = measured(path, layout, options.rounds)
        report["layouts"][name] = found
        console.print(
            f"{name}: {found['megabytes']:.0f} MB, {found['events'] / 1e6:.1f} M events; "
            f"{found['ours']:.0f} MB/s (processor {found['ours, processor']:.0f}), numpy alone "
            f"{found['alone']:.0f} (processor {found['alone, processor']:.0f}); ratio of the "
            f"processor's {found['ratio']:.2f}; at most {found['peak']:.0f} MB in memory; "
            f"{verdict(found['ours, processor'] >= GOAL)}",
            soft_wrap=True,
        )
    write_json(options.json, report)
    return int(any(found["ours, processor"] < GOAL for found in report["layouts"].values()))


if __name__ == "__main__":
    run(main)
