"""Traffic through a network on chip, in compiled simulation, with a scoreboard.

The Verilog of the network is compiled with sources and sinks in C++ (``sim/traffic_harness.cpp``),
so that Python is called once for millions of packets. Sources are open: a packet is created
whether or not the network can take it, and waits in a queue without end.

The scoreboard knows each packet by its source and a number, which travel in the fields ``axon`` and
``delay``. Each must arrive exactly once at each of its targets, after those that its source sent
there before, and nothing else may arrive; a flit that waits must not change; ``busy`` must be high
if and only if a packet is inside; and what is for no core, and nothing else, must be dropped.
"""

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.c_layout import layout_checks
from spikelet.description.chip.packets import flit_packet
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError
from spikelet.description.toolchain import load_library
from spikelet.sim.traffic_patterns import Pattern
from spikelet.sim.traffic_wrapper import one_port_each
from spikelet.sim.verilator import Design, build_library

__all__ = ["Delivered", "Network", "Traffic", "Window"]

_HARNESS = Path(__file__).with_name("traffic_harness.cpp")
_LEAST_SEQUENCE_BITS = 8
_DELIVERY = np.dtype(
    [(name, np.uint32) for name in ("source", "target", "created", "injected", "arrived")]
)


@dataclass(frozen=True)
class Traffic:
    """What ports send, and how their sinks stall. Ports are the cores, in order, and the host.

    Parameters
    ----------
    pattern : Pattern
    rates : array of float, shape (ports,), or float
        Packets that a port creates in a clock cycle, 0..1; each goes to a random one of the port's
        destinations.
    burst : int
        Packets that are created at once.
    stall_rates : array of float, shape (ports,), or float
        Probability that a sink that is ready stalls in the next cycle.
    longest_stalls : array of int, shape (ports,), or int
        A stall has a random length of 1 to so many clock cycles.
    """

    pattern: Pattern
    rates: npt.ArrayLike
    burst: int = 1
    stall_rates: npt.ArrayLike = 0.0
    longest_stalls: npt.ArrayLike = 1


@dataclass(frozen=True)
class Window:
    """When packets are created, and which of them are measured. All in clock cycles.

    Parameters
    ----------
    warm_up : int
        Packets are created, and not measured.
    measured : int
        Packets that are created now are measured, and throughput is taken.
    tail : int
        Packets are created until all that are measured have arrived, or for so long.
    drain : int
        Then none are, and the last must arrive within so many.
    send_all : bool
        Whether packets are sent that wait in their source when the tail ends; else they are
        forgotten.
    """

    measured: int
    warm_up: int = 0
    tail: int = 0
    drain: int = 1 << 24
    send_all: bool = True


@dataclass(frozen=True)
class Delivered:
    """What a run did.

    Parameters
    ----------
    deliveries : structured array
        Of measured packets, one for each target: ports ``source`` and ``target``, and the clock
        cycles in which it was ``created``, ``injected`` and ``arrived``.
    offered, injected : array of int64, shape (ports,)
        Packets that each port created, and that the network took from it, while measured.
    delivered, delivered_from : array of int64, shape (ports,)
        Copies that arrived at each port, and that came from each, while measured.
    packets, copies, dropped : int
        Injected, arrived, and dropped for want of a core, in the whole run.
    blocked, held_up : int
        Cycles that flits waited for the network to take them, and for sinks, in the whole run.
    cycles : int
        Length of the run.
    measured : int
        Cycles that were measured.
    settled : bool
        Whether all measured packets arrived before the end of the tail.
    """

    deliveries: npt.NDArray[Any]
    offered: npt.NDArray[np.int64]
    injected: npt.NDArray[np.int64]
    delivered: npt.NDArray[np.int64]
    delivered_from: npt.NDArray[np.int64]
    packets: int
    copies: int
    dropped: int
    blocked: int
    held_up: int
    cycles: int
    measured: int
    settled: bool

    @property
    def latency(self) -> npt.NDArray[np.int64]:
        """Clock cycles from creation to arrival, of each measured delivery."""
        return _difference(self.deliveries, "created")

    @property
    def network_latency(self) -> npt.NDArray[np.int64]:
        """Clock cycles from injection to arrival, of each measured delivery."""
        return _difference(self.deliveries, "injected")


class Network:
    """A network on chip in compiled simulation.

    Parameters
    ----------
    chip : ChipParams
        One whose flits have the fields ``axon`` and ``delay`` wide enough to number packets, such
        as with 4096 axons and 32 delay slots.
    verilog : callable
        Returns the Verilog of the network of one part of the chip, (column, row), with a top module
        of the name that it is given.
    optimise : str
        ``"run"`` or ``"build"``; see :func:`spikelet.sim.verilator.build_library`.

    Raises
    ------
    SpikeletError
        If a tool is missing, or fields are not wide enough.
    """

    def __init__(
        self,
        chip: ChipParams,
        verilog: Callable[[tuple[int, int], str], str],
        *,
        optimise: str = "run",
    ) -> None:
        self.chip = chip
        self.ports = len(chip.cores) + 1
        tag = flit_packet(chip).only("axon", "delay").width
        self.tag_bits = tag
        self.sequence_bits = tag - (self.ports - 1).bit_length()
        if self.sequence_bits < _LEAST_SEQUENCE_BITS:
            raise SpikeletError(
                f"traffic: axon and delay have {tag} bits, of which {self.ports} ports leave "
                f"{self.sequence_bits} to number packets: fewer than {_LEAST_SEQUENCE_BITS}",
                remedy="give the cores more axons or delay slots",
            )
        design = Design(one_port_each(chip, verilog))
        checks = layout_checks({"Task": _TaskStruct, "Score": _Score, "Delivery": _DELIVERY})
        library = build_library(design, "traffic", _HARNESS, checks=checks, optimise=optimise)
        self._library = _load(library)
        self._handle = ctypes.c_void_p(self._library.traffic_create())

    def close(self) -> None:
        """Free the simulated network."""
        if self._handle:
            self._library.traffic_destroy(self._handle)
            self._handle = ctypes.c_void_p()

    def __enter__(self) -> "Network":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def run(self, traffic: Traffic, window: Window, *, seed: int) -> Delivered:
        """Reset the network, send packets through it, and return how they fared.

        Raises
        ------
        SpikeletError
            If a rate is out of range, or the scoreboard finds a fault; with the seed.
        """
        sums = {name: np.zeros(self.ports, np.int64) for name in _Score.OF_PORTS}
        task = self._task(traffic, window, seed)
        score = _Score(**{name: _pointer(array) for name, array in sums.items()})
        n = self._library.traffic_run(self._handle, ctypes.byref(task.struct), ctypes.byref(score))
        if n < 0:
            fault = self._library.traffic_fault(self._handle).decode()
            raise SpikeletError(f"network ({self.chip.topology}, seed {seed}): {fault}")
        deliveries = np.zeros(n, _DELIVERY)
        self._library.traffic_deliveries(self._handle, _pointer(deliveries))
        return Delivered(
            deliveries,
            **sums,
            packets=score.packets,
            copies=score.copies,
            dropped=score.dropped,
            blocked=score.blocked,
            held_up=score.held_up,
            cycles=score.cycles,
            measured=window.measured,
            settled=bool(score.settled),
        )

    def _task(self, traffic: Traffic, window: Window, seed: int) -> "_Task":
        pattern = traffic.pattern
        rates = _for_ports("rates", traffic.rates, self.ports, np.float64, 0, 1)
        stalls = _for_ports("stall_rates", traffic.stall_rates, self.ports, np.float64, 0, 1)
        longest = _for_ports(
            "longest_stalls", traffic.longest_stalls, self.ports, np.int64, 1, 1 << 30
        )
        if traffic.burst < 1:
            raise SpikeletError(f"traffic: burst must be 1 or more, not {traffic.burst}")
        if pattern.ports != self.ports:
            raise SpikeletError(
                f"traffic: the pattern is of {pattern.ports} ports, the network has {self.ports}"
            )
        arrays = {
            "rates": rates,
            "stall_rates": stalls,
            "longest_stalls": longest,
            "choice_offsets": pattern.choice_offsets,
            "choices": pattern.choices,
            "routes": pattern.words,
            "target_offsets": pattern.target_offsets,
            "targets": pattern.targets,
            "nowhere": pattern.nowhere,
        }
        return _Task(
            arrays,
            ports=self.ports,
            tag_bits=self.tag_bits,
            sequence_bits=self.sequence_bits,
            # In a ring, packets for other rectangles may go the other way round.
            in_order=self.chip.topology not in ("torus", "ring"),
            send_all=window.send_all,
            burst=traffic.burst,
            warm_up=window.warm_up,
            measured=window.measured,
            tail=window.tail,
            drain=window.drain,
            seed=seed,
        )


def _difference(deliveries: npt.NDArray[Any], start: str) -> npt.NDArray[np.int64]:
    cycles: npt.NDArray[np.int64] = deliveries["arrived"].astype(np.int64) - deliveries[start]
    return cycles


def _for_ports(
    name: str, values: npt.ArrayLike, ports: int, kind: type, low: float, high: float
) -> npt.NDArray[Any]:
    """Return one value for each port; SpikeletError if one is out of range."""
    given = np.asarray(values)
    if given.shape not in ((), (ports,)):
        raise SpikeletError(f"traffic: {name} must have shape ({ports},), not {given.shape}")
    if not ((given >= low) & (given <= high)).all():
        wrong = given[~((given >= low) & (given <= high))].flat[0]
        raise SpikeletError(f"traffic: {name} must be in {low}..{high}, found {wrong}")
    return np.ascontiguousarray(np.broadcast_to(given, (ports,)), kind)


class _TaskStruct(ctypes.Structure):
    """``Task`` of the harness."""

    NUMBERS = (
        *("ports", "tag_bits", "sequence_bits", "in_order", "send_all", "burst"),
        *("warm_up", "measured", "tail", "drain"),
    )
    ARRAYS = (
        *("rates", "stall_rates", "longest_stalls", "choice_offsets", "choices"),
        *("routes", "target_offsets", "targets", "nowhere"),
    )
    _fields_ = (
        *((name, ctypes.c_int64) for name in NUMBERS),
        ("seed", ctypes.c_uint64),
        *((name, ctypes.c_void_p) for name in ARRAYS),
    )


class _Task:
    """A ``Task``, and the arrays that it points to, which must live as long."""

    def __init__(self, arrays: dict[str, npt.NDArray[Any]], **numbers: int) -> None:
        self.arrays = arrays
        pointers = {name: _pointer(array) for name, array in arrays.items()}
        self.struct = _TaskStruct(**numbers, **pointers)


class _Score(ctypes.Structure):
    """``Score`` of the harness."""

    SUMS = ("packets", "copies", "dropped", "blocked", "held_up", "cycles", "settled")
    OF_PORTS = ("offered", "injected", "delivered", "delivered_from")
    _fields_ = (
        *((name, ctypes.c_int64) for name in SUMS),
        *((name, ctypes.c_void_p) for name in OF_PORTS),
    )


def _pointer(array: npt.NDArray[Any]) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


def _load(path: Path) -> ctypes.CDLL:
    library = load_library(path)
    handle = ctypes.c_void_p
    library.traffic_create.restype = handle
    library.traffic_destroy.argtypes = [handle]
    library.traffic_run.argtypes = [handle, ctypes.c_void_p, ctypes.c_void_p]
    library.traffic_run.restype = ctypes.c_int64
    library.traffic_fault.argtypes = [handle]
    library.traffic_fault.restype = ctypes.c_char_p
    library.traffic_deliveries.argtypes = [handle, ctypes.c_void_p]
    return library
