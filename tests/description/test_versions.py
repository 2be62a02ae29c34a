"""The golden model's version follows its source, in subfolders too."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from spikelet.description import versions


@pytest.mark.parametrize("name", ["core.py", "kernel.c", "synapses/dense.py"])
def test_a_change_of_a_file_changes_the_version(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = SimpleNamespace(submodule_search_locations=[str(tmp_path)])
    monkeypatch.setattr(versions, "find_spec", lambda _: place)
    found = []
    for text in ("one", "other", "one"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
        (tmp_path / "notes.txt").write_text(str(len(found)))
        found.append(versions.golden_version.__wrapped__())
    assert found[0] == found[2] != found[1]
