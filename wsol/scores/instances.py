"""How contours that find instances are kept: at which cuts, by how many steps of brightness."""

from __future__ import annotations

import numpy as np

CUTS = 256
IOU = 0.5  # from which a contour finds an instance
STEPS = 16  # of a contour's largest value, 0 to 255
# At these cuts contours are kept by step too, for AP.
RANKED_CUTS = np.arange(STEPS - 1, CUTS - 1, STEPS)
# The thresholds that make these cuts of a map with the largest value 255: half a level above.
RANKED_THRESHOLDS = (RANKED_CUTS + 0.5) / (CUTS - 1)
