"""Partitioning and placement: networks larger than a core, on the positions of a chip."""
