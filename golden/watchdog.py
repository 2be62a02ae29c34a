"""Time limits of a tick and of a host's silence. Twin of ``rtl_gen/watchdog.py``."""

__all__ = ["Watchdog"]


class Watchdog:
    """Told of each clock cycle what there is, it says whether a limit has passed.

    Both limits are in whole units. A unit counts if the chip is busy, or nothing is heard, from some
    cycle within it to its end.

    Parameters
    ----------
    log_unit : int
        Logarithm to base 2 of a unit's clock cycles.
    busy_units : int
        Of which the chip may be busy at the end, one after the other.

    Attributes
    ----------
    late : bool
        A tick has taken too long.
    """

    def __init__(self, log_unit: int, busy_units: int) -> None:
        self.busy_units = busy_units
        self.late = False
        self._unit = 1 << log_unit
        self._cycles = 0
        self._busy_ends = self._quiet_ends = 0

    def cycle(self, *, busy: bool, heard: bool, limit: int, restart: bool = False) -> bool:
        """Let a clock cycle pass; return whether the host has been silent for too long.

        ``limit`` is in 0..65535; 0 is for no limit.
        """
        self._cycles += 1
        ends = self._cycles % self._unit == 0
        self.late = not restart and (self.late or self._busy_ends == self.busy_units)
        if restart or not busy:
            self._busy_ends = 0
        else:
            self._busy_ends = min(self._busy_ends + ends, self.busy_units)
        due = ends and limit > 0 and self._quiet_ends == limit
        if heard or due or not limit:
            self._quiet_ends = 0
        else:
            self._quiet_ends = (self._quiet_ends + ends) % (1 << 16)
        return due and not heard
