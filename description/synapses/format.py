"""What a synapse format is, and what it sees of its core."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from spikelet.description.errors import SpikeletError
from spikelet.description.synapses.scan import scan_cycles, word_counts

__all__ = ["CoreShape", "Memory", "SynapseFormat", "SynapseRegion", "Words", "even_leads"]

Words = tuple[str, npt.NDArray[np.int64], npt.NDArray[np.uint32]]
"""A region with offsets in it and the words that go there."""


class CoreShape(Protocol):
    """The properties of a core that a format depends on; see ``CoreParams``."""

    @property
    def n_axons(self) -> int: ...
    @property
    def n_neurons(self) -> int: ...
    @property
    def lanes(self) -> int: ...
    @property
    def pipelines(self) -> int: ...
    @property
    def groups(self) -> int: ...
    @property
    def scan_bits(self) -> int: ...
    @property
    def scan_words(self) -> int: ...
    @property
    def weight_bits(self) -> int: ...
    @property
    def weight_format(self) -> str: ...
    @property
    def weight_min(self) -> int: ...
    @property
    def weight_max(self) -> int: ...
    @property
    def weight_rows(self) -> int: ...
    @property
    def synapse_options(self) -> Mapping[str, int]: ...
    @property
    def weight_memory(self) -> str: ...
    @property
    def current_bits(self) -> int: ...
    @property
    def spike_bits(self) -> int: ...


@dataclass(frozen=True)
class SynapseRegion:
    """A part of the memory map that a format needs.

    Parameters
    ----------
    name : str
        Of the crossbar's configuration port, too.
    words : int
    bits : int
        In use in each word, 1..32.
    layout : str
        How an index becomes an offset, for the tables.
    """

    name: str
    words: int
    bits: int
    layout: str


@dataclass(frozen=True)
class Memory:
    """A memory that a format builds.

    Parameters
    ----------
    name : str
    rows, row_bits : int
    kind : str
        As the core's ``weight_memory``, or ``"auto"`` where synthesis chooses.
    bank_bits : int
        Most bits of a bank, which synthesis places by itself.
    """

    name: str
    rows: int
    row_bits: int
    kind: str = "auto"
    bank_bits: int = 32


class SynapseFormat(ABC):
    """How a core stores its weights and sums those of active axons.

    A format has a function of the same name in ``golden/synapses`` and a component in
    ``rtl_gen/synapses``.

    Attributes
    ----------
    name : str
    learns : bool
        Whether a rule can change the weights, which then are a matrix (n_axons, n_neurons).
    options : tuple of str
        What the format must be told of a core: the names in its ``synapse_options``.
    further_options : tuple of str
        What it may be told besides.
    holds_scan : bool
        Whether the crossbar lets the scan of the axons wait, by a port ``ready``.
    pads_lanes : bool
        Whether lanes of a group may have no neuron: ``n_neurons`` need not be a multiple of them.
    rests : bool
        Whether no sums leave before the scan has ended, so that the crossbar can leave a tick out,
        by a port ``quiet``.
    takes_words : bool
        Whether the crossbar sees the axon bitmap's words as the scan fetches them.
    most_weight_bits : int
        Of the widest weights.
    """

    name: str
    learns = False
    options: tuple[str, ...] = ()
    further_options: tuple[str, ...] = ()
    holds_scan = False
    pads_lanes = False
    rests = False
    takes_words = False
    most_weight_bits = 8

    def check_core(self, core: CoreShape) -> None:  # noqa: B027 - most formats suit every core
        """Raise SpikeletError if a core cannot have this format."""

    def options_of(self, lanes: int, matrix: npt.NDArray[np.integer]) -> dict[str, int]:
        """Return what a core that is made for a matrix of weights is told, besides its fields.

        Parameters
        ----------
        lanes : int
        matrix : array of int, shape (n_axons, n_neurons)
        """
        return {}

    def options_with(self, core: CoreShape, lanes: int) -> dict[str, int]:
        """Return the options of a core of fewer lanes that holds all weights that this one may."""
        return dict(core.synapse_options)

    def groups(self, core: CoreShape) -> int:
        """Return the groups of neurons that are summed at once."""
        return core.n_neurons // core.lanes

    @abstractmethod
    def rows(self, core: CoreShape) -> int:
        """Return the rows of the weight memory, each ``lanes`` weights."""

    def fan_in(self, core: CoreShape) -> int:
        """Return the most axons that can reach a neuron: they bound its sum."""
        return core.n_axons

    @abstractmethod
    def check(self, core: CoreShape, weights: npt.NDArray[np.int16], name: str) -> None:
        """Raise SpikeletError, beginning with ``name``, unless the stored weights fit the core."""

    @abstractmethod
    def stored(
        self, core: CoreShape, matrix: npt.NDArray[np.int16], name: str
    ) -> npt.NDArray[np.int16]:
        """Return what is stored for a matrix of weights, shape (n_axons, n_neurons).

        SpikeletError, beginning with ``name``, if the format cannot hold it exactly.
        """

    @abstractmethod
    def matrix(self, core: CoreShape, weights: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
        """Return the matrix (n_axons, n_neurons) that the stored weights stand for."""

    def key(self, core: CoreShape, weights: npt.NDArray[np.int16]) -> int:
        """Return what the draws of synapses start from at ``clear``, 1..2**32 - 1; 0 without draws.

        A format whose core draws has a region ``synapse_key``: this key at offset 0, that of the
        coming tick at 1.
        """
        return 0

    def keyed(
        self, core: CoreShape, weights: npt.NDArray[np.int16], key: int
    ) -> npt.NDArray[np.int16]:
        """Return stored weights with another :meth:`key`, or as they are in a core without."""
        return weights

    @abstractmethod
    def regions(self, core: CoreShape) -> tuple[SynapseRegion, ...]:
        """Return what the format needs of the memory map."""

    @abstractmethod
    def words(self, core: CoreShape, weights: npt.NDArray[np.int16]) -> list[Words]:
        """Return what is loaded into each region."""

    @abstractmethod
    def memories(self, core: CoreShape) -> tuple[Memory, ...]:
        """Return the memories of the crossbar."""

    @abstractmethod
    def logic(self, core: CoreShape) -> Counter[str]:
        """Return the crossbar's terms of ``fpga/fit.py``'s ``lut_terms``."""

    @abstractmethod
    def cycles(
        self, core: CoreShape, active: npt.NDArray[np.float64], empty_words: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        """Predict the clock cycles from the first word of the scan until the last sums leave.

        Parameters
        ----------
        core : CoreShape
        active : array of float64
            Active axons of a tick.
        empty_words : array of float64
            Words of the axon bitmap that hold none of them: the scan takes a cycle for each, as it
            does for each active axon.
        """

    def by_chance(
        self, matrix: npt.NDArray[np.int16], where: npt.NDArray[np.bool_]
    ) -> npt.NDArray[np.int16]:
        """Return a matrix that :meth:`stored` takes, whose synapses there are stochastic.

        SpikeletError for a format whose synapses cannot be.
        """
        raise SpikeletError(f"{self.name} synapses cannot be stochastic")

    def scan_cycles(self, core: CoreShape, active: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
        """Return the clock cycles of the scan, behind which arrivals wait.

        Those of a scan that the crossbar does not hold up; also of one that it holds up before any
        sums leave, as nothing is sent meanwhile.

        Parameters
        ----------
        core : CoreShape
        active : array of bool, shape (ticks, n_axons)

        Returns
        -------
        array of int64, shape (ticks,)
        """
        return scan_cycles(word_counts(active, core.scan_bits))

    def group_leads(
        self, core: CoreShape, active: npt.NDArray[np.bool_]
    ) -> npt.NDArray[np.int64] | None:
        """Return by how many cycles each group's first sums leave before the last of all.

        None, as long as a format does not say it: then groups are taken to leave evenly.

        Parameters
        ----------
        core : CoreShape
        active : array of bool, shape (ticks, n_axons)

        Returns
        -------
        array of int64, shape (ticks, groups), or None
        """
        return None

    def group_rows(self, core: CoreShape) -> npt.NDArray[np.int64]:
        """Return the rows of ``pipelines`` neurons of each group, (groups,)."""
        return np.full(core.groups, core.lanes // core.pipelines, np.int64)

    def exact_cycles(
        self, core: CoreShape, active: npt.NDArray[np.bool_], weights: npt.NDArray[np.int16]
    ) -> npt.NDArray[np.int64]:
        """Return the clock cycles that :meth:`cycles` predicts, counted from the axons themselves.

        As long as a format does not count them: those of their number, rounded.

        Parameters
        ----------
        core : CoreShape
        active : array of bool, shape (ticks, n_axons)
        weights : array of int16
            As the format stores them.

        Returns
        -------
        array of int64, shape (ticks,)
        """
        counts = word_counts(active, core.scan_bits)
        number = counts.sum(axis=1).astype(np.float64)
        empty = np.count_nonzero(counts == 0, axis=1).astype(np.float64)
        return np.rint(self.cycles(core, number, empty)).astype(np.int64)


def even_leads(core: CoreShape, apart: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return how long before the last sums each group's first leave, if groups are as far apart.

    Parameters
    ----------
    core : CoreShape
    apart : array of int64, shape (ticks,)
        Cycles from a group to the next.

    Returns
    -------
    array of int64, shape (ticks, groups)
    """
    behind = core.groups - 1 - np.arange(core.groups)
    return apart[:, None] * behind + core.lanes // core.pipelines - 1
