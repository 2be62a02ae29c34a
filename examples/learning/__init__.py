"""Experiments with learning on the chip: ``python -m spikelet.examples.learning.NAME``."""
