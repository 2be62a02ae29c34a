"""How the tests of each framework see what is refused."""

from typing import Any

import pytest

from spikelet.description.errors import SpikeletError
from tests.frameworks.cases import sample

__all__ = ["refused_layer"]


def refused_layer(call: Any, neurons: Any, *parts: str, time_axis: int = 0) -> None:
    """The call must refuse neurons behind ten inputs, by an error with all parts and a remedy."""
    from torch import nn

    net = nn.Sequential(nn.Linear(10, 4), neurons)
    with pytest.raises(SpikeletError) as caught:
        call(net, sample((10,), time_axis=time_axis))
    for part in ("module '1'", *parts):
        assert part in str(caught.value)
    assert caught.value.remedy
