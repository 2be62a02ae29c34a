"""Whose files and folders of the cache are trusted: rights and groups, by number."""

import grp
import os
import pwd
import stat
from pathlib import Path

import pytest

from spikelet.description import cache
from spikelet.description.cache import seal, sealed
from spikelet.description.errors import SpikeletError, SpikeletWarning


@pytest.mark.parametrize(
    ("name", "members", "private"),
    [("me", [], True), ("me", ["you"], False), ("us", [], False), ("us", ["me"], False)],
)
def test_a_private_group_is_named_as_its_user_and_has_nobody_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, members: list[str], private: bool
) -> None:
    user = pwd.struct_passwd(("me", "x", os.geteuid(), 7, "", "/", "/bin/sh"))
    monkeypatch.setattr(pwd, "getpwuid", lambda number: user)
    monkeypatch.setattr(grp, "getgrgid", lambda number: grp.struct_group((name, "x", 7, members)))
    path = tmp_path / "a.so"
    path.write_bytes(b"contents")
    seal(path)
    path.chmod(0o660)
    if private:
        assert sealed(path)
        return
    with pytest.warns(SpikeletWarning, match="other users of its group"):
        assert not sealed(path)


def test_a_group_that_nobody_knows_is_not_private(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def unknown(number: int) -> grp.struct_group:
        raise KeyError(number)

    monkeypatch.setattr(grp, "getgrgid", unknown)
    monkeypatch.setenv("SPIKELET_CACHE", str(tmp_path / "cache"))
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache").chmod(0o770)
    with pytest.raises(SpikeletError, match="other users of its group"):
        cache.cached("kernels/a.so", lambda folder: folder)


@pytest.mark.parametrize(
    ("before", "after"), [(0o666, 0o644), (0o775, 0o755), (0o600, 0o600), (0o646, 0o644)]
)
def test_sealing_takes_the_right_to_write_from_others_and_no_more(
    tmp_path: Path, before: int, after: int
) -> None:
    path = tmp_path / "a.so"
    path.write_bytes(b"contents")
    path.chmod(before)
    seal(path)
    assert stat.S_IMODE(path.stat().st_mode) == after
    assert sealed(path)
    assert path.read_bytes().startswith(b"contents") and path.stat().st_size == 8 + 32
