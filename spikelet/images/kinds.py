"""The kinds of images by name."""

from collections.abc import Iterator
from contextlib import contextmanager

from spikelet.description.errors import SpikeletError
from spikelet.images import host_link, host_link_spi, live, self_test, stored
from spikelet.images.image import ImageKind

__all__ = ["IMAGE_KINDS", "image_kind", "registered"]

IMAGE_KINDS: dict[str, ImageKind] = {
    kind.name: kind
    for kind in (self_test.KIND, host_link.KIND, host_link_spi.KIND, stored.KIND, *live.KINDS)
}
"""The first is built where none is named."""


def image_kind(name: str | None) -> ImageKind:
    """Return a kind by its name, None: the first; SpikeletError lists the names otherwise."""
    if name is None:
        return next(iter(IMAGE_KINDS.values()))
    if name not in IMAGE_KINDS:
        raise SpikeletError(
            f"image must be one of {', '.join(IMAGE_KINDS)}, not {name!r}",
            remedy="; ".join(f"{kind.name}: {kind.title}" for kind in IMAGE_KINDS.values()),
        )
    return IMAGE_KINDS[name]


@contextmanager
def registered(kind: ImageKind) -> Iterator[ImageKind]:
    """Make a kind of one's own known by name in a ``with`` block; SpikeletError if it is taken."""
    if kind.name in IMAGE_KINDS:
        raise SpikeletError(
            f"image {kind.name!r} cannot be registered: there is one of that name",
            remedy="give it a name of its own",
        )
    IMAGE_KINDS[kind.name] = kind
    try:
        yield kind
    finally:
        del IMAGE_KINDS[kind.name]
