"""The folder for what is compiled once, and files in it that are whole and the user's own.

What is kept there is loaded into the process or run, and a library that is cut short or changed can
end the process or do anything. So the digest of each file stands at its end, folders and files must
belong to the user, and nobody else may be able to write them.
"""

import contextlib
import fcntl
import grp
import hashlib
import os
import platform
import pwd
import shutil
import stat
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

from spikelet.description.errors import SpikeletError, SpikeletWarning, file_error

__all__ = ["build_folder", "cache_folder", "cached", "seal", "sealed"]

_DIGEST_BYTES = hashlib.sha256().digest_size
_OTHER_FOLDER = "set SPIKELET_CACHE to a writable folder that allows programs, on a disk with space"


def cache_folder() -> Path:
    """Return the folder for what is compiled once, an absolute path.

    It is ``SPIKELET_CACHE``, or ``spikelet`` in ``XDG_CACHE_HOME`` or in the user's ``.cache``. A
    variable that is empty counts as not set; a relative path is one below the working folder.

    SpikeletError if nothing says where the user's files are.
    """
    chosen = os.environ.get("SPIKELET_CACHE", "")
    if chosen:
        return Path.cwd() / chosen
    general = os.environ.get("XDG_CACHE_HOME", "")
    if Path(general).is_absolute():  # the XDG specification: others are to be ignored
        return Path(general) / "spikelet"
    try:
        return Path.home() / ".cache" / "spikelet"
    except RuntimeError as error:
        raise SpikeletError(
            "there is no folder for what is compiled once: neither SPIKELET_CACHE nor HOME is set",
            remedy=_OTHER_FOLDER,
        ) from error


def cached(name: str, build: Callable[[Path], Path]) -> Path:
    """Return a file of the cache; build it unless it is there, whole, and the user's own.

    Of several processes or threads that want the same file, one builds it, and the others wait.

    Parameters
    ----------
    name : str
        Its place in the folder, such as ``"models/chip-0123.so"``; with a digest of all that the
        contents depend on.
    build : callable
        Is given an empty folder; returns the file that it made there, to which the seal is added.

    Raises
    ------
    SpikeletError
        If a folder is not the user's own, cannot be written, or ``build`` fails.
    """
    path = cache_folder() / name
    try:
        _make_own(path.parent)
        if sealed(path):
            return path
        with _alone(path):
            if sealed(path):  # built by another process meanwhile
                return path
            with build_folder(path.parent) as folder:
                built = build(folder)
                if not built.is_file():
                    raise SpikeletError(
                        f"what should make {path.name} ended without an error and without a file",
                        remedy="spikelet doctor checks the tools; check CC and CXX",
                    )
                seal(built)
                built.replace(path)
    except OSError as error:
        refused = file_error(f"cannot keep or load {path}", error)
        raise SpikeletError(refused.args[0], remedy=_OTHER_FOLDER) from error
    return path


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Keep others from building the same file; of processes that end, the system frees the lock."""
    lock = path.with_name(f".lock-{path.name}")
    with open(lock, "wb", opener=_no_link) as file:
        with contextlib.suppress(OSError):  # a file system without locks: all build
            fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield
        finally:  # whoever waits has it open; later ones make another, and find what was built
            lock.unlink(missing_ok=True)


@contextlib.contextmanager
def build_folder(parent: Path) -> Iterator[Path]:
    """Make a folder for building in ``parent``, and remove it afterwards.

    Its name says whose process it is; those of processes that were killed are removed too.
    """
    here = f".build-{platform.node()}-"
    for left in parent.glob(f"{here}*"):
        process = left.name.removeprefix(here).split("-")[0]
        if process.isdigit() and not _alive(int(process)):
            shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=parent, prefix=f"{here}{os.getpid()}-") as folder:
        yield Path(folder)


def seal(path: Path) -> None:
    """Add the digest of a file's contents at its end, which loaders and linkers ignore."""
    with path.open("ab") as file:
        file.write(hashlib.sha256(path.read_bytes()).digest())
    path.chmod(path.stat().st_mode & ~(stat.S_IWGRP | stat.S_IWOTH))


def sealed(path: Path) -> bool:
    """Return whether a file is there, ends with the digest of what precedes, and is the user's own.

    A file that another user left or can write is reported by a SpikeletWarning.
    """
    try:
        with open(path, "rb", opener=_no_link) as file:
            whose = _refusal(os.fstat(file.fileno()))
            content = file.read()
    except OSError:
        return False
    if whose:
        warnings.warn(f"{path} {whose}: built again", SpikeletWarning, stacklevel=2)
        return False
    return hashlib.sha256(content[:-_DIGEST_BYTES]).digest() == content[-_DIGEST_BYTES:]


def _no_link(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)


def _make_own(folder: Path) -> None:
    """Make a folder of the cache for the user alone; SpikeletError if others can write there."""
    root = cache_folder()
    between = [root / part for part in reversed(folder.relative_to(root).parents)]
    for level in (*between, folder):
        level.mkdir(mode=0o700, parents=True, exist_ok=True)
        whose = _refusal(level.stat())
        if whose:
            raise SpikeletError(
                f"the cache folder {level} {whose}: what lies there could be anybody's program",
                remedy=f"chmod go-w {level}, if it is yours; or set SPIKELET_CACHE to a folder of "
                "your own",
            )


def _refusal(status: os.stat_result) -> str:
    """Return why a file or folder may hold what the user did not put there, or an empty text."""
    user = os.geteuid()
    if status.st_uid != user:
        return f"belongs to another user ({_user_name(status.st_uid)}, not {_user_name(user)})"
    if status.st_mode & stat.S_IWOTH:
        return "can be written by every user"
    if status.st_mode & stat.S_IWGRP and not _private_group(status.st_gid):
        return "can be written by other users of its group"
    return ""


def _user_name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)


def _private_group(group: int) -> bool:
    """Return whether a group is the user's alone, as Debian and others make one for each user."""
    try:
        entry = grp.getgrgid(group)
        return entry.gr_name == pwd.getpwuid(os.geteuid()).pw_name and not entry.gr_mem
    except KeyError:
        return False


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        pass
    return True
