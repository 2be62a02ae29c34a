"""What the input lines of a network are called."""

__all__ = ["INPUT"]

INPUT = "input"
"""Name of the host's input lines where they are one group."""
