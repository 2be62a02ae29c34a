"""Errors and warnings that a user can act on."""

__all__ = ["SpikeletError", "SpikeletWarning"]


class SpikeletError(Exception):
    """Something the user can put right: bad input, a network that does not fit, a missing tool.

    The message says where (file, node, field), what was found and what would be valid. The command
    line prints it without a traceback and exits with status 1.

    Parameters
    ----------
    message : str
        What is wrong, with the place and the offending value.
    remedy : str
        What to do about it; printed on a line of its own.
    """

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy

    def __str__(self) -> str:
        message = super().__str__()
        return f"{message}\n  remedy: {self.remedy}" if self.remedy else message


class SpikeletWarning(UserWarning):
    """Something that is allowed but likely not meant; says where, with numbers and a remedy."""
