"""How much memory the arrays of a record may take: known before anything is unpacked."""

from __future__ import annotations

from wsol.scores.iou_codes import CUTS
from wsol.scores.thresholds import FINEST_SPELLED

# Bytes an image that its readings may take.
MOST_OF_READINGS = 8192


def most_bytes_of(images: int, step: float) -> int:
    """How many bytes the arrays of so many images may unpack to, scored at that threshold step."""
    bins = 0 if step < FINEST_SPELLED else int(1 / step) + 4
    # Codes of IoU, two counts of four bytes a bin, an image's name and facts, and what else is read.
    return 2**20 + images * (3 * CUTS + 2 * 4 * bins + 4096 + MOST_OF_READINGS)
