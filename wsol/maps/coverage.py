"""How many proposals cover each place: what boxes without scores give away."""

from __future__ import annotations

import numpy as np

from wsol.data.manifest.manifest import ManifestSplit
from wsol.errors import UserError
from wsol.files.pictures.images import open_image
from wsol.maps.contract import ImageMaps
from wsol.maps.proposals.merged_regions import proposals
from wsol.maps.proposals.painting import painted
from wsol.maps.proposals.proposal_files import read_proposals


class Coverage(ImageMaps):
    """The number of proposals over each place, all scores 1, no model."""

    title = "proposals"
    baseline = True

    def __init__(self, name: str, argument: str = "") -> None:
        super().__init__(name, argument)
        self._boxes: dict[str, np.ndarray] = {}

    def of_images(self, images: ManifestSplit) -> None:
        """Read the proposals of the images; ``UserError`` where `wsol propose` has made none."""
        boxes = read_proposals(images)
        self._boxes = {
            path: boxes[image_id] for path, image_id in zip(images.paths, images.image_ids, strict=True)
        }

    def read(self, path: str, size: int) -> np.ndarray:
        """The map (h, w) float32 of an image file; its proposals are found now where none were read."""
        try:
            boxes = self._boxes.get(path)
            if boxes is None:
                boxes = proposals(open_image(path, exif=self.exif))
        except FileNotFoundError:
            raise UserError(f"{path}: missing; run `wsol prepare` again") from None
        return painted(boxes, np.ones(len(boxes))).astype(np.float32)
