"""Boxes come back from their packing."""

from __future__ import annotations

import numpy as np

from wsol.scores.packed_boxes import pack_boxes, unpack_boxes


def test_boxes_come_back_from_their_packing():
    boxes = np.random.default_rng(0).integers(0, 2048, (256, 4))
    np.testing.assert_array_equal(unpack_boxes(pack_boxes(boxes)), boxes)
