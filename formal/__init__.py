"""Formal proofs of the network on chip, the barrier and sums: ``python -m spikelet.formal``."""
