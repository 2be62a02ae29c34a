"""Targets by name, in any case."""

import pytest

from spikelet.boards import BOARDS
from spikelet.description.errors import SpikeletError
from spikelet.fpga.families import devices
from spikelet.targets import target_named, targets


def test_every_board_and_device_is_a_target() -> None:
    assert set(targets()) == {*BOARDS, *devices()}


@pytest.mark.parametrize("target", targets())
def test_case_does_not_matter(target: str) -> None:
    assert {target_named(name) for name in (target, target.lower(), target.upper())} == {target}


@pytest.mark.parametrize("name", ["", "iCE", "ULX3S", "iCEBreaker "])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(SpikeletError, match=f"target must be one of .*, not '{name}'"):
        target_named(name)
