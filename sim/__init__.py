"""Verilog in simulation: any module from Python (:class:`Model`), chips, and cocotb benches."""

from spikelet.sim.model import Model, Port

__all__ = ["Model", "Port"]
