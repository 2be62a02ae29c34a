"""What a synapse format is, and what it sees of its core."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

__all__ = ["CoreShape", "Memory", "SynapseFormat", "SynapseRegion", "Words"]

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
    holds_scan : bool
        Whether the crossbar lets the scan of the axons wait, by a port ``ready``.
    """

    name: str
    learns = False
    options: tuple[str, ...] = ()
    holds_scan = False

    def check_core(self, core: CoreShape) -> None:  # noqa: B027 - most formats suit every core
        """Raise SpikeletError if a core cannot have this format."""

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
