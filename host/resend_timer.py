"""How long a host waits for an answer until it sends again, learned from the answers."""

__all__ = ["ResendTimer"]

_GROWS = 2.0
_MARGIN = 2.0
"""Of the wait, over the longest silence before an answer."""

_FORGETS = 0.95
"""With every answer, of that silence."""

_SHRINKS = 0.8
"""The wait, with an answer that came before it had passed."""


class ResendTimer:
    """Tells when to send again.

    A board answers at the pace of its line, an adapter holds answers back, and a simulated board is
    slower than a real one by any factor. So the wait is twice the longest silence of late that
    ended in an answer, and doubles while there is none. Silence in which something was sent again
    is not taken as a measure, since nobody knows to what the answer was: the wait stays as long
    then, and shrinks with further answers, not at once. Compare IETF RFC 6298, which measures times
    of answers where this class, without a clock, measures silence.

    Parameters
    ----------
    least_s, most_s : float
        Bounds of the wait, in seconds.

    Attributes
    ----------
    wait_s : float
        Silence after which something is sent again.
    """

    def __init__(self, least_s: float, most_s: float) -> None:
        self.least_s = least_s
        self.most_s = max(least_s, most_s)
        self.wait_s = least_s
        self._longest_s = 0.0
        self._silent_s = 0.0
        self._again = False  # something was sent again since the last answer

    def waited(self, seconds: float) -> bool:
        """Count silence; return whether it is time to send again."""
        self._silent_s += seconds
        if self._silent_s < self.wait_s:
            return False
        self._silent_s = 0.0
        self._again = True
        self.wait_s = min(self.wait_s * _GROWS, self.most_s)
        return True

    def heard(self) -> None:
        """Note an answer."""
        if not self._again:
            self._longest_s = max(self._silent_s, self._longest_s * _FORGETS)
            wanted_s = max(self._longest_s * _MARGIN, self.wait_s * _SHRINKS, self.least_s)
            self.wait_s = min(wanted_s, self.most_s)
        self._silent_s = 0.0
        self._again = False
