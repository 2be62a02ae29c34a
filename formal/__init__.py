"""Formal proofs of the network on chip and of the barrier; ``python -m formal`` runs them."""
