"""Errors and warnings that a user can act on."""

import errno

__all__ = ["MALFORMED", "SpikeletError", "SpikeletWarning", "file_error"]

MALFORMED = (
    *(ValueError, KeyError, TypeError, AttributeError, IndexError),
    *(OverflowError, RecursionError, ZeroDivisionError),
)
"""What reading a saved description may raise where its contents are of another form."""


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


_FULL = "free space on that disk, or choose a folder on another one; nothing half-written was kept"
_REMEDIES = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: "raise the limit on the size of files (ulimit -f); nothing half-written was kept",
    errno.EACCES: "choose a place that you may read and write, or change its permissions",
    errno.EPERM: "choose a place that you may read and write, or change its permissions",
    errno.EROFS: "choose a folder on a disk that can be written",
    errno.ENOENT: "check the path",
    errno.EISDIR: "name a file, not a folder",
    errno.ENOTDIR: "a file is in the place of a folder: choose another path",
    errno.EEXIST: "a file is in the place of a folder: choose another path",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.EMFILE: "raise the limit on open files (ulimit -n)",
}


def file_error(what: str, error: OSError) -> SpikeletError:
    """Return the error for users when the system refused a file, with a remedy for its reason.

    Parameters
    ----------
    what : str
        Such as "out/chip.v cannot be written".
    error : OSError
    """
    reason = error.strerror or str(error)
    return SpikeletError(f"{what}: {reason}", remedy=_REMEDIES.get(error.errno or 0, ""))
