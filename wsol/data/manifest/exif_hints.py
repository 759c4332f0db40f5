"""Whether annotations mean images as they are stored or as their EXIF orientation turns them."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from wsol.data.manifest.manifest_draft import DraftImage, ManifestDraft
from wsol.files.pictures.images import ImageHeader

OPTION = "--stored-pixels"
ROUNDING = 1.0  # pixels that a box may stick out by when its corners were rounded


def size_hint(header: ImageHeader, told: tuple[int, int] | None, draft: ManifestDraft) -> str:
    """What to add where an annotation's or a mask's (height, width) is not the image's.

    Empty where the EXIF orientation is not why, and in layouts without the option.
    """
    if draft.dataset != "custom" or told is None or header.seen == header.stored:
        return ""
    stored, seen = (f"{width} x {height}" for height, width in (header.stored, header.seen))
    turn = f"its EXIF orientation {header.orientation} turns the stored {stored} to {seen}"
    if draft.exif and told == header.stored:
        return f": {turn}; if annotations are of the stored pixels, say so by {OPTION}"
    if not draft.exif and told == header.seen:
        return f": {turn}, and the annotation is of the picture turned; leave out {OPTION}"
    return ""


def box_problems(image: DraftImage, header: ImageHeader, draft: ManifestDraft) -> Iterator[str]:
    """A line where boxes leave the image as it is turned, and all fit it as it is stored.

    Where the annotation tells its size, that is compared instead.
    """
    if not draft.exif or draft.dataset != "custom" or image.size is not None:
        return
    outside = [box.where for box in image.boxes if not _inside(box.box, header.seen)]
    if not outside or not all(_inside(box.box, header.stored) for box in image.boxes):
        return
    stored, seen = (f"{width} x {height}" for height, width in (header.stored, header.seen))
    yield (
        f"{outside[0]}: the box lies outside {image.path} as its EXIF orientation {header.orientation} "
        f"turns it ({seen}) and inside it as it is stored ({stored}); if so meant: {OPTION}"
    )


class HeaderTally:
    """Counts images whose orientation no size decides about, and files of several pages."""

    def __init__(self) -> None:
        self.turned: list[str] = []
        self.pages: list[tuple[str, int]] = []
        self._lock = threading.Lock()

    def add(self, image: DraftImage, header: ImageHeader, draft: ManifestDraft) -> None:
        """Take one image into account; threads may do so at once."""
        told = image.size is not None and header.seen != header.stored
        undecided = header.orientation != 1 and not told and (image.boxes or image.masks)
        if header.pages == 1 and not undecided:
            return
        with self._lock:
            if header.pages > 1:
                self.pages.append((image.path, header.pages))
            if undecided and draft.exif and draft.dataset == "custom":
                self.turned.append(image.path)

    def notes(self) -> list[str]:
        """A line for each of the two that there are."""
        found = []
        if self.turned:
            count = len(self.turned)
            found.append(
                f"{count:,} annotated {'image is' if count == 1 else 'images are'} turned by EXIF "
                f"orientation (e.g. {min(self.turned)}), and no size tells whether the annotations are: "
                f"they are taken for those of the picture as it is seen; else {OPTION}"
            )
        if self.pages:
            path, pages = min(self.pages)
            count = len(self.pages)
            found.append(
                f"{count:,} file{'' if count == 1 else 's'} with several pages or frames (e.g. {path}, "
                f"{pages:,}): the first of each is read"
            )
        return found


def _inside(box: tuple[float, float, float, float], size: tuple[int, int]) -> bool:
    height, width = size
    x0, y0, x1, y1 = box
    low, right, bottom = -ROUNDING, width + ROUNDING, height + ROUNDING
    return x0 >= low and y0 >= low and x1 <= right and y1 <= bottom
