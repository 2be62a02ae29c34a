"""What states and parameters of neurons are: their kinds, with the usual ranges."""

__all__ = ["FRACTION_BITS", "KINDS", "fraction_one"]

FRACTION_BITS = 12
"""A fraction f in 0..4095 stands for f / 4096.

Loihi's decays have 12 bits, too, in Lava's bit-accurate models (``lava/proc/lif/models.py``), where
a decay is what is taken off.
"""

KINDS: dict[str, tuple[int | str, int | str]] = {
    "membrane": ("v_min", "v_max"),
    "fraction": (0, (1 << FRACTION_BITS) - 1),
    "ticks": (0, 63),
    "flag": (0, 1),
    "absolute": (0, 0),
    "count": (0, 255),
}
"""What a state or parameter is, and its usual range.

``membrane``: in potential LSBs; scales with the weights. ``fraction``: in 1/4096; in 1/2**n where a
range is given that needs n bits, more than 12. ``ticks``: a number of ticks. ``flag``: 0 or 1.
``absolute``: an integer that scales with nothing; its range is given. ``count``: how many spikes.
"""


def fraction_one(high: int | str | None) -> int:
    """Return what a factor of 1 would be among fractions up to ``high``."""
    usual = 1 << FRACTION_BITS
    return 1 << high.bit_length() if isinstance(high, int) and high > usual else usual
