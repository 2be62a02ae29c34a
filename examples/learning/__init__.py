"""Experiments with learning on the chip, each one command: ``python -m examples.learning.NAME``."""
