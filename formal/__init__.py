"""Formal proofs of the network on chip and the barrier: ``python -m spikelet.formal``."""
