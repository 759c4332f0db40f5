"""Where the images of an annotation folder lie: tools keep both in folders of fixed names."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

# Folders that hold annotations, and those that then hold the images.
LABEL_FOLDERS = ("labels", "labelTxt", "annotations", "Annotations", "jsons", "json", "obj_train_data")
IMAGE_FOLDERS = ("images", "JPEGImages", "Images", "img")


def image_folder(folder: Path) -> Path:
    """Where the images of the annotations in ``folder`` lie: ``a/images/b`` for ``a/labels/b``.

    ``folder`` itself where there is no such folder.
    """
    parts = folder.parts
    for place in reversed(range(len(parts))):
        if parts[place] in LABEL_FOLDERS:
            for name in IMAGE_FOLDERS:
                other = Path(*parts[:place], name, *parts[place + 1 :])
                if other.is_dir():
                    return other
    return folder


def image_name(path: PurePosixPath) -> str:
    """An image's likely name by its annotation's: ``images/b/1`` for ``labels/b/1``.

    The names of image folders are left out of account when images are looked up.
    """
    return "/".join(
        "images" if part in LABEL_FOLDERS and place < len(path.parts) - 1 else part
        for place, part in enumerate(path.parts)
    )
