"""How events become spikes: which ticks, which pixels, which polarities."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spikelet.description.errors import SpikeletError
from spikelet.description.summary import summary
from spikelet.event_data.event_file import EventBlock, EventFile
from spikelet.event_data.survey import Survey

__all__ = ["POLARITIES", "Binning", "Grid", "grid_of"]

POLARITIES = ("both", "merged", "on", "off")

_MOST_PLACES = 1 << 31
"""Places for a spike in one sample."""

_LARGEST_SENSOR = 1 << 16
_LARGEST_TIME = 1 << 53


@dataclass(frozen=True)
class Binning:
    """How events become spikes. A place and tick with any event has a spike.

    Parameters
    ----------
    bin : int or None
        Microseconds of a tick. None: the longest stream fills ``ticks``.
    ticks : int or None
        Of a sample; later events are left out. None: as many as the longest stream needs.
    sensor : tuple of int, or None
        Columns and rows of the sensor; of a cochlea, channels and 1. None: as the file says.
    downsample : int
        Squares of so many pixels a side, of a cochlea so many channels, become one input.
    polarity : str
        ``both``: an input for off and one for on events; ``merged``: one for either; ``on`` or
        ``off``: one for these, others are left out. Events without polarity are merged.
    region : tuple of int, or None
        First column and row, columns and rows of the part of the sensor that is used.
    start : int or None
        Microseconds at which each stream begins; earlier events are left out. None: at 0 where
        times count from the beginning of a stream, otherwise at its first event.
    cut : bool
        Make of each stream as many samples of ``ticks`` ticks as it lasts, the last one filled up.
    """

    bin: int | None = None
    ticks: int | None = None
    sensor: tuple[int, int] | None = None
    downsample: int = 1
    polarity: str = "both"
    region: tuple[int, int, int, int] | None = None
    start: int | None = None
    cut: bool = False

    def __post_init__(self) -> None:
        for name, value in (("bin", self.bin), ("ticks", self.ticks)):
            if value is not None and value < 1:
                raise SpikeletError(f"binning: {name} must be 1 or more, not {value}")
        if self.sensor and not all(1 <= size <= _LARGEST_SENSOR for size in self.sensor):
            raise SpikeletError(
                f"binning: columns and rows of a sensor must be in 1..{_LARGEST_SENSOR}, not "
                f"{self.sensor[0]} and {self.sensor[1]}"
            )
        for name, number in (("bin", self.bin or 1), ("start", self.start or 0)):
            if abs(number) > _LARGEST_TIME:
                raise SpikeletError(
                    f"binning: {name} must be within {_LARGEST_TIME} us, not {number}"
                )
        if not 1 <= self.downsample <= _LARGEST_SENSOR:
            raise SpikeletError(
                f"binning: downsample must be in 1..{_LARGEST_SENSOR}, not {self.downsample}"
            )
        if self.polarity not in POLARITIES:
            raise SpikeletError(
                f"binning: polarity must be one of {', '.join(POLARITIES)}, not {self.polarity!r}"
            )
        if self.cut and self.ticks is None:
            raise SpikeletError(
                "binning: streams are cut into samples of how many ticks?", remedy="give ticks"
            )


@dataclass(frozen=True, eq=False)
class Grid:
    """Where each event goes; made by :func:`grid_of`.

    Parameters
    ----------
    bin : int
        Microseconds of a tick.
    ticks : int
        Of a sample.
    sensor : tuple of int
        Columns and rows.
    shape : tuple of int
        Polarities, rows and columns of inputs.
    start : int or None
        As of :class:`Binning`, and 0 where times count from the beginning.
    columns, rows, polarities : array of int64
        What the column, row and polarity of an event add to the number of its input; far below 0
        for what is left out.
    """

    __repr__ = summary

    bin: int
    ticks: int
    sensor: tuple[int, int]
    shape: tuple[int, int, int]
    start: int | None
    columns: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int64]
    polarities: npt.NDArray[np.int64]

    @property
    def all_used(self) -> bool:
        """Whether there is no event of the sensor that is left out for its place or polarity."""
        return all(part.min() >= 0 for part in (self.columns, self.rows, self.polarities))

    def inputs(self, block: EventBlock, place: str) -> npt.NDArray[np.int64]:
        """Return the input of each event, below 0 where it is left out.

        SpikeletError for an event that is not on the sensor.
        """
        for name, values, size in (
            ("x", block.x, self.sensor[0]),
            ("y", block.y, self.sensor[1]),
        ):
            wrong = int(values.max(initial=0))
            if wrong >= size or (values.dtype.kind == "i" and int(values.min(initial=0)) < 0):
                raise SpikeletError(
                    f"{place}: an event has {name} {wrong}, and the sensor has "
                    f"{self.sensor[0]} columns and {self.sensor[1]} rows",
                    remedy=f"it has at least {wrong + 1} {'columns' if name == 'x' else 'rows'}: "
                    "give the size of the sensor that recorded it",
                )
        found: npt.NDArray[np.int64] = self.columns.take(block.x)
        if len(self.rows) > 1:
            found += self.rows.take(block.y)
        if self.polarities.any():
            found += self.polarities.take(block.p)
        return found


def grid_of(binning: Binning, file: EventFile, found: Survey | None) -> Grid:
    """Return where the events of a file go.

    Parameters
    ----------
    binning : Binning
    file : EventFile
    found : Survey or None
        What the file holds; None where sensor, bin and ticks are given.

    Raises
    ------
    SpikeletError
        If the sensor's size is not known; if sensors, regions and polarities do not fit; if there
        would be more places for a spike than a sample may have.
    """
    sensor = _sensor(binning, file, found)
    bin_us, ticks, start = _times(binning, file, found)
    region = binning.region or (0, 0, *sensor)
    if (
        min(region[:2]) < 0
        or min(region[2:]) < 1
        or any(region[axis] + region[axis + 2] > sensor[axis] for axis in (0, 1))
    ):
        raise SpikeletError(
            f"binning: the region of {region[2]} columns and {region[3]} rows from column "
            f"{region[0]} and row {region[1]} on is not on the sensor of {sensor[0]} columns and "
            f"{sensor[1]} rows"
        )
    width, height = (-(-region[axis + 2] // binning.downsample) for axis in (0, 1))
    if not file.polarity and binning.polarity in ("on", "off"):
        raise SpikeletError(
            f"{file.path}: its events have no polarity, so there are none that are "
            f"{binning.polarity}",
            remedy="leave polarity out",
        )
    one = binning.polarity != "both" or not file.polarity
    shape = (1 if one else 2, height, width)
    if ticks * shape[0] * height * width > _MOST_PLACES:
        raise SpikeletError(
            f"binning: a sample of {ticks:,} ticks and {shape[0]} x {height} x {width} inputs has "
            f"{ticks * shape[0] * height * width:,} places for a spike; at most {_MOST_PLACES:,} "
            "are made",
            remedy="longer ticks, fewer of them, a region, or a larger downsample; or cut the "
            "stream into samples",
        )
    nowhere = -(1 << 40)
    columns, rows = (
        np.where(
            (np.arange(sensor[axis]) >= region[axis])
            & (np.arange(sensor[axis]) < region[axis] + region[axis + 2]),
            (np.arange(sensor[axis]) - region[axis]) // binning.downsample * step,
            nowhere,
        )
        for axis, step in ((0, 1), (1, width))
    )
    plane = width * height
    polarities = {"both": [0, plane], "on": [nowhere, 0], "off": [0, nowhere]}
    added = [0, 0] if not file.polarity else polarities.get(binning.polarity, [0, 0])
    return Grid(bin_us, ticks, sensor, shape, start, columns, rows, np.array(added, np.int64))


def _sensor(binning: Binning, file: EventFile, found: Survey | None) -> tuple[int, int]:
    if binning.sensor and file.sensor and binning.sensor != file.sensor:
        raise SpikeletError(
            f"{file.path} is of a sensor of {file.sensor[0]} columns and {file.sensor[1]} rows, "
            f"not of {binning.sensor[0]} and {binning.sensor[1]}",
            remedy="leave the sensor out: the file says its size",
        )
    sensor = binning.sensor or file.sensor
    if sensor is None:
        reach = ""
        if found is not None and found.most_x >= 0:
            least = f"{found.most_x + 1}x{found.most_y + 1}"
            reach = f"; its events reach column {found.most_x} and row {found.most_y}: {least}?"
        raise SpikeletError(
            f"{file.path} does not say how large its sensor is{reach}",
            remedy="give columns and rows, such as --sensor 34x34, or --sensor 700 of a cochlea",
        )
    return sensor


def _times(binning: Binning, file: EventFile, found: Survey | None) -> tuple[int, int, int | None]:
    """Return the microseconds of a tick, the ticks of a sample, and where streams begin."""
    start = 0 if binning.start is None and file.from_zero else binning.start
    if binning.bin is not None and binning.ticks is not None:
        return binning.bin, binning.ticks, start
    if binning.bin is None and binning.ticks is None:
        raise SpikeletError(
            "binning: how long is a tick?", remedy="give bin, such as --bin 10ms, or ticks"
        )
    assert found is not None
    longest = max(1, found.longest(start))
    if binning.bin is None:
        assert binning.ticks is not None
        return -(-longest // binning.ticks), binning.ticks, start
    return binning.bin, -(-longest // binning.bin), start
