"""Any Verilog module in compiled simulation, from Python: ports by name, of any width."""

import ctypes
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, SupportsIndex

from spikelet.description.errors import SpikeletError
from spikelet.description.toolchain import load_library
from spikelet.sim.model_library import ModelSource, build_model

__all__ = ["Model", "Port"]

_DIRECTIONS = {"in": "input", "out": "output", "inout": "inout"}
_STORED = {8: ctypes.c_uint8, 16: ctypes.c_uint16, 32: ctypes.c_uint32, 64: ctypes.c_uint64}
_WORD_BITS = 32


@dataclass(frozen=True)
class Port:
    """A port of a module.

    Parameters
    ----------
    name : str
    direction : str
        ``"input"``, ``"output"`` or ``"inout"``.
    width : int
        Bits, 1 or more.
    """

    name: str
    direction: str
    width: int


class _Storage:
    """Where Verilator keeps a port."""

    def __init__(self, address: int, width: int) -> None:
        held: Any = next((kind for bits, kind in _STORED.items() if width <= bits), None)
        self._one: Any = held.from_address(address) if held else None
        words = ctypes.c_uint32 * -(-width // _WORD_BITS)
        self._words = None if held else words.from_address(address)

    def get(self) -> int:
        if self._words is None:
            return int(self._one.value)
        value = 0
        for word in reversed(self._words):
            value = value << _WORD_BITS | word
        return value

    def set(self, value: int) -> None:
        if self._words is None:
            self._one.value = value
            return
        for place in range(len(self._words)):
            self._words[place] = value >> place * _WORD_BITS & 0xFFFFFFFF


class Model:
    """A Verilog module, Verilated.

    ``model["name"] = 5`` sets an input, ``model["name"]`` reads a port, as an int that is not
    negative; reading takes all inputs set before into account. Everything is 0 or 1: what is ``x``
    in Verilog is 0. Reset is a port like any other.

    Parameters
    ----------
    verilog : str, Path, or sequence of Path
        Verilog or SystemVerilog: text, or files.
    top : str
        The module.
    clock : str or None
        The input that :meth:`step` drives, low to begin with; None: the module has none, or the
        caller drives them.
    parameters : mapping of str to int or str, or None
        Of the module.
    include : sequence of Path
        Folders of included files; those of the files themselves are looked into anyway.
    defines : mapping of str to str, or None
        Macros, as for ```ifdef``.
    waves : Path or None
        Where all signals are written to, as ``.vcd``; whole when the model is closed.
    optimise : str
        ``"build"`` compiles quickly, ``"run"`` runs several times as fast.

    Attributes
    ----------
    ports : dict of Port
        By name.
    cycles : int
        Steps so far.

    Raises
    ------
    SpikeletError
        If a tool or file is missing, the Verilog has errors (with Verilator's message) or no module
        ``top``, a port is no vector, or there is no such clock.
    """

    def __init__(
        self,
        verilog: str | Path | Sequence[Path],
        top: str,
        *,
        clock: str | None = "clk",
        parameters: Mapping[str, int | str] | None = None,
        include: Sequence[Path] = (),
        defines: Mapping[str, str] | None = None,
        waves: Path | None = None,
        optimise: str = "build",
    ) -> None:
        self.top = top
        self._handle = ctypes.c_void_p()
        if waves is not None and waves.suffix != ".vcd":
            raise SpikeletError(
                f"waves: {waves} must end in .vcd",
                remedy="vcd2fst, of GTKWave, makes an .fst of it",
            )
        source = ModelSource(
            *(verilog, top, parameters or {}, include, defines or {}),
            waves=waves is not None,
            optimise=optimise,
        )
        self._library = _load(build_model(source))
        self.ports = _ports(self._library.model_ports().decode())
        clock_port = None if clock is None else self._clock_port(clock)
        self._handle = ctypes.c_void_p(self._library.model_create(str(waves or "").encode()))
        if not self._handle:
            raise SpikeletError(
                f"cannot write waveforms to {waves}", remedy="give a file in a folder that exists"
            )
        self._storage = {
            name: _Storage(self._library.model_port(self._handle, index), port.width)
            for index, (name, port) in enumerate(self.ports.items())
        }
        self._clock_at = (
            None
            if clock_port is None
            else self._library.model_port(self._handle, [*self.ports].index(clock_port))
        )
        self._clock = clock
        self.cycles = 0
        try:
            self._run(0)  # a clock that the caller drives was low before it rises
        except SpikeletError:
            self.close()
            raise

    def close(self) -> None:
        """Free the model, and write the rest of the waveforms."""
        if self._handle:
            self._library.model_destroy(self._handle)
            self._handle = ctypes.c_void_p()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def finished(self) -> bool:
        """Whether the design has called ``$finish``."""
        return bool(self._library.model_finished(self._open()))

    def __getitem__(self, name: str) -> int:
        """Return the bits of a port as an int, 0 or more."""
        self._open()
        port = self._port(name)
        if self._stale and port.direction != "input":
            self._run(0)
        return self._storage[name].get()

    def signed(self, name: str) -> int:
        """Return a port in two's complement."""
        value, width = self[name], self.ports[name].width
        return value - (value >> (width - 1) << width)

    def __setitem__(self, name: str, value: SupportsIndex) -> None:
        """Set an input, to an int that has room in it, with or without a sign."""
        self._open()
        port = self._port(name)
        if port.direction == "output" or name == self._clock:
            why = "is an output" if port.direction == "output" else "is driven by step()"
            raise SpikeletError(
                f"module {self.top}: port {name} {why} and cannot be set",
                remedy=f"its inputs are {self._names('input')}",
            )
        number, low, most = operator.index(value), -1 << (port.width - 1), (1 << port.width) - 1
        if not low <= number <= most:
            unit = "bit" if port.width == 1 else "bits"
            raise SpikeletError(
                f"module {self.top}: port {name} has {port.width} {unit} and takes "
                f"{low}..{most}, not {number}"
            )
        self._storage[name].set(number & most)
        self._stale = True

    def step(self, cycles: int = 1) -> None:
        """Run clock cycles: what was set is there at the rising edge; a falling edge follows.

        Without a clock, as much time passes, for waveforms.

        Raises
        ------
        SpikeletError
            If ``cycles`` is negative, the design has ended (``$finish``), or it stops (``$stop``,
            ``$fatal``, a failed assertion), behind which there is no going on.
        """
        self._open()
        if cycles < 0:
            raise SpikeletError(f"step: cycles must be 0 or more, not {cycles}")
        if not cycles:
            return
        done = self._run(cycles)
        self.cycles += done
        if done < cycles:
            raise SpikeletError(
                f"module {self.top}: ended by $finish in cycle {self.cycles}, "
                f"{cycles - done} before the end of the step"
            )

    def _run(self, cycles: int) -> int:
        done = int(self._library.model_step(self._handle, self._clock_at, cycles))
        self._stale = False
        fault = self._library.model_fault(self._handle).decode()
        if fault:
            self.cycles += done
            raise SpikeletError(f"module {self.top}: cycle {self.cycles}: {fault}")
        return done

    def _open(self) -> ctypes.c_void_p:
        """Return the handle; SpikeletError if the model was closed or has stopped."""
        if not self._handle:
            raise SpikeletError(f"module {self.top}: the model was closed", remedy="open it again")
        fault = self._library.model_fault(self._handle).decode()
        if fault:
            raise SpikeletError(
                f"module {self.top}: has stopped: {fault}", remedy="open the model again"
            )
        return self._handle

    def _port(self, name: str) -> Port:
        if name not in self.ports:
            raise SpikeletError(
                f"module {self.top} has no port {name}", remedy=f"its ports are {self._names()}"
            )
        return self.ports[name]

    def _clock_port(self, clock: str) -> str:
        port = self.ports.get(clock)
        if port is None or port.direction != "input" or port.width != 1:
            wrong = "has no port" if port is None else "has no clock"
            raise SpikeletError(
                f"module {self.top} {wrong} {clock}",
                remedy="name its clock, an input of 1 bit, as clock=; or give clock=None. "
                f"Its inputs are {self._names('input')}",
            )
        return clock

    def _names(self, direction: str = "") -> str:
        named = (port.name for port in self.ports.values() if direction in ("", port.direction))
        return ", ".join(named) or "none"


def _ports(listed: str) -> dict[str, Port]:
    ports = [line.split(" ", 2) for line in listed.splitlines()]
    return {name: Port(name, _DIRECTIONS[way], int(bits)) for way, bits, name in ports}


def _load(path: Path) -> ctypes.CDLL:
    library = load_library(path)
    handle = ctypes.c_void_p
    library.model_ports.restype = ctypes.c_char_p
    library.model_create.argtypes = [ctypes.c_char_p]
    library.model_create.restype = handle
    library.model_destroy.argtypes = [handle]
    library.model_port.argtypes = [handle, ctypes.c_int64]
    library.model_port.restype = handle
    library.model_step.argtypes = [handle, ctypes.c_void_p, ctypes.c_int64]
    library.model_step.restype = ctypes.c_int64
    library.model_fault.argtypes = [handle]
    library.model_fault.restype = ctypes.c_char_p
    library.model_finished.argtypes = [handle]
    library.model_finished.restype = ctypes.c_int32
    return library
