"""The verb ``iou``: given boxes or masks compared with the truth, without a model."""
