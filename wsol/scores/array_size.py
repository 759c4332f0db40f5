"""How much memory the arrays of a record may take: known before anything is unpacked."""

from __future__ import annotations

from wsol.scores.iou_codes import CUTS
from wsol.scores.thresholds import FINEST_SPELLED


def most_bytes_of(images: int, step: float) -> int:
    """How many bytes the arrays of so many images may unpack to, scored at that threshold step."""
    bins = 0 if step < FINEST_SPELLED else int(1 / step) + 4
    # Codes of IoU, two counts of four bytes a bin, and an image's name and facts.
    return 2**20 + images * (3 * CUTS + 2 * 4 * bins + 4096)
