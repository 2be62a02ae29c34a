"""TOML files in the encodings and line ends that editors and shells write."""

import re
from pathlib import Path

import pytest

from spikelet.description.errors import SpikeletError
from spikelet.network.toml_file import load_toml
from spikelet.network.toml_text import read_toml

TEXT = """name = "bars – größe"
dt = 1e-3
outputs = ["e"]
[inputs.p]
size = 8
[populations.e]
size = 4
threshold = 200
[[projections]]
source = "p"
target = "e"
weights = [20, 60]
rule = "pair_stdp"
"""


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_what_is_read(tmp_path: Path, encoding: str, ends: str) -> None:
    path = tmp_path / "n.toml"
    path.write_bytes(TEXT.replace("\n", ends).encode(encoding))
    assert load_toml(path).network.name == "bars – größe"


@pytest.mark.parametrize(
    ("data", "message", "remedy"),
    [
        (
            TEXT.encode("cp1252"),
            "not UTF-8 text .line 1, byte 0x96",
            "'name = \"bars – größe\"', it",
        ),
        (("#ok\n" * 6 + TEXT).encode("latin1", "replace"), "line 7, byte 0xf6", "Windows-1252"),
        ("ü".encode("utf-16-le") * 9 + b"\xff", "not UTF-8 text", "UTF-16 without its mark"),
        (TEXT.encode("utf-16")[:-1], "not UTF-16 text .byte", "save the file as UTF-8"),
        (TEXT.replace("e = 4", "e\u00a0= 4").encode(), "line 7", "column 5 .* .NO-BREAK SPACE"),
        (TEXT.replace("[pop", "\u200b[pop").encode(), "line 6", "ZERO WIDTH SPACE"),
        (TEXT.replace('"p"', "\u201cp\u201d").encode(), "line 10", "curly quotation marks"),
        (
            TEXT.replace("200", "[" * 5000).encode(),
            ": its values are nested too deeply",
            "a few levels",
        ),
        (
            TEXT.replace("200", "{a=" * 5000).encode(),
            ": its values are nested too deeply",
            "a few levels",
        ),
        (TEXT.replace("200", "9" * 5000).encode(), "", ""),
        (b"\0", "", "control character"),
        (b"name = ", "", ""),
    ],
)
def test_what_is_refused(tmp_path: Path, data: bytes, message: str, remedy: str) -> None:
    path = tmp_path / "n.toml"
    path.write_bytes(data)
    with pytest.raises(SpikeletError, match=rf"n\.toml is not a TOML file.*{message}") as caught:
        read_toml(path)
    assert re.search(remedy, caught.value.remedy)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for path, message in ((tmp_path, "Is a directory"), (tmp_path / "x", "No such file")):
        with pytest.raises(SpikeletError, match=f"cannot be read: {message}"):
            read_toml(path)
    with pytest.raises(SpikeletError, match="cannot be read: embedded null byte"):
        read_toml(tmp_path / "a\0b")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("size = 8", "size = 1000000000000", r"\[inputs\.p\]: .*1000000000000"),
        ("size = 8", "size = [1000000, 1000000]", r"\[inputs\.p\]: "),
        ("size = 4", "size = 1000000000000", r"\[populations\.e\]: .*1000000000000"),
        ("dt = 1e-3", "dt = nan", "dt"),
        ("threshold = 200", "threshold = 1" + "0" * 400, "threshold"),
    ],
)
def test_sizes_without_measure(tmp_path: Path, old: str, new: str, message: str) -> None:
    (tmp_path / "n.toml").write_text(TEXT.replace(old, new))
    with pytest.raises(SpikeletError, match=message):
        load_toml(tmp_path / "n.toml")
