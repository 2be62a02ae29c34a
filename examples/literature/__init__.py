"""Experiments of the literature, on the chip."""
