"""IoU per cut of an 8-bit map as small whole numbers that compare exactly with every whole percent.

IoU is kept in units of 1/50,000 (the largest contour's box) and 1/100 (the best of all contours),
rounded down, so that comparing with any whole percent is exact: for the edges ``e_k = k / units`` the
code is the last k with ``e_k <= IoU``, and ``e_k`` and the reference's ``percent / 100`` are the same
float64 wherever they are the same number, both being that number correctly rounded.
"""

from __future__ import annotations

import numpy as np

CUTS = 256
SINGLE_UNITS = 50_000
ALL_UNITS = 100

# The code of IoU 1, by which contours are read.
UNITS = {"single": SINGLE_UNITS, "all": ALL_UNITS}


def encode_iou(iou: np.ndarray, units: int) -> np.ndarray:
    """IoU in [0, 1] as whole ``units``, rounded down: ``code >= percent * units / 100`` is exact."""
    edges = np.arange(units + 1) / units
    code = np.searchsorted(edges, iou, side="right") - 1
    return code.astype(np.uint8 if units <= 255 else np.uint16)


def least_code(iou: float, contours: str) -> int:
    """The smallest code that counts as right at an IoU threshold in (0, 1], a whole percent."""
    return round(iou * UNITS[contours])


def twice_iou(codes: np.ndarray) -> np.ndarray:
    """Twice the middle of the IoU interval that a single-contour code stands for; 0 and 1 are exact."""
    codes = codes.astype(np.int64)
    return 2 * codes + ((codes > 0) & (codes < SINGLE_UNITS))
