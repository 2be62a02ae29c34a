"""One configuration: compiled, and measured by the golden model, in whatever process."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.compiler.compile import Source, compile_network
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.artefact import digest_of
from spikelet.description.errors import SpikeletError
from spikelet.description.summary import summary
from spikelet.samples.samples import Samples
from spikelet.sweeps.axes import axis_named
from spikelet.sweeps.axis import Axis, Settings, Value
from spikelet.sweeps.measures import Measured, SweptMeasure, records
from spikelet.sweeps.versions import different, versions

__all__ = ["Bench", "Configuration", "Point"]

Configuration = dict[str, Value]
"""A value for each axis."""


@dataclass(frozen=True)
class Point:
    """What came out of a configuration.

    Parameters
    ----------
    configuration : dict
    values : dict of str to float
        By measure; empty if there is no such chip.
    refusal : str
        Why there is no such chip; empty if there is.
    failure : str
        Why it could not be measured this time, though there may be such a chip: it is not kept, and
        measured again when the sweep goes on.
    other_version : str
        What of the worker's installation is not as here.
    """

    configuration: Configuration
    values: dict[str, float]
    refusal: str = ""
    failure: str = ""
    other_version: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-compatible values of what is kept: not failures."""
        fields = asdict(self)
        del fields["failure"], fields["other_version"]
        return fields


@dataclass(frozen=True)
class Bench:
    """What configurations are measured on; a worker is given it once.

    Parameters
    ----------
    network : Source
        Read already, so that a worker needs no file.
    network_digest : str
    samples : Samples
    axes : mapping of str to Axis
        The kinds of axes in use.
    measures : tuple of SweptMeasure
    target : str
    calibration : array or None
        As for :func:`spikelet.compile`.
    versions : mapping of str to str
        Of what makes results; a worker's must be the same.
    """

    __repr__ = summary

    network: Source
    network_digest: str
    samples: Samples
    axes: Mapping[str, Axis]
    measures: tuple[SweptMeasure, ...]
    target: str
    calibration: npt.NDArray[np.uint8] | None
    versions: Mapping[str, str]

    @cached_property
    def inputs(self) -> dict[str, str]:
        """Digests of what all configurations have in common, by what it is."""
        shown = self.calibration
        return {
            "network": self.network_digest,
            "samples": self.samples.digest,
            "calibration": "none" if shown is None else digest_of(shown),
        }

    @cached_property
    def options(self) -> dict[str, Any]:
        """What else they have in common."""
        return {"measures": [measure.name for measure in self.measures], "target": self.target}

    def key(self, configuration: Configuration) -> str:
        """Return the SHA-256 of all that the result of a configuration depends on."""
        parts = (self.inputs, self.options, dict(self.versions), configuration)
        return digest_of(json.dumps(parts, sort_keys=True))

    def measured(self, configuration: Configuration) -> Point:
        """Return what comes out of a configuration; no exception but those that end a process."""
        if other := different(self.versions, versions()):
            return Point(configuration, {}, other_version=other)
        try:
            compiled, samples = self._compiled(configuration)
        except SpikeletError as error:
            return Point(configuration, {}, refusal=str(error.args[0]))
        except Exception as error:
            return _failed(configuration, error)
        try:
            found = Measured(compiled, samples, self.target, records(self.measures))
            return Point(configuration, {one.name: one.of(found) for one in self.measures})
        except Exception as error:  # there is a chip: what is wrong may be this machine
            return _failed(configuration, error)

    def _compiled(self, configuration: Configuration) -> tuple[CompiledNetwork, Samples]:
        """Return the chip of a configuration, and the samples that it is shown."""
        settings = Settings()
        for name, value in configuration.items():
            axis, part = axis_named(name, self.axes)
            axis.set(settings, part, value)
        samples = self.samples
        if settings.ticks is not None:
            samples = samples.shortened(settings.ticks)
        try:
            compiled = self._placed(settings)
        except TypeError as error:  # a value of a type that the option never has
            raise SpikeletError(f"no chip can be made: {error}") from error
        return compiled, samples

    def _placed(self, settings: Settings) -> CompiledNetwork:
        options, limits = settings.options, settings.limits
        shown = self.calibration
        compiled = compile_network(self.network, calibration=shown, limits=limits, **options)
        if not settings.changes:
            return compiled
        network = compiled.network
        for change in settings.changes:
            network = change(network)
        kept = {name: options[name] for name in _PLACED if name in options}
        return compile_network(network, limits=compiled.limits, **kept)


_PLACED = ("topology", "multicast", "placement_seed")
"""Options of the compiler that are of the place, and given again when the network was changed."""


def _failed(configuration: Configuration, error: Exception) -> Point:
    return Point(configuration, {}, failure=f"{type(error).__name__}: {error}")
