"""How annotations are written, where their format leaves it open."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Conventions:
    """What no file of annotations says of itself.

    Attributes:
        corners: how corners of boxes are written, a key of `BOX_CONVENTIONS`: ``"half-open"``,
            ``"inclusive"``, ``"voc"`` or ``"shares"``; None: as the format does.
        mask_values: what the values of mask files mean, e.g. ``("object=1-20", "ignore=255")``; none:
            all but 0 is the object, and 255 of a palette is not scored.
        stored_pixels: the annotations are of the pixels as stored: EXIF tags turn nothing.
    """

    corners: str | None = None
    mask_values: tuple[str, ...] = ()
    stored_pixels: bool = False
