"""Pictures of images as PNG files, in folders as the images' ids name them."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from wsol.files.writing.atomic import write_bytes


def write_picture(folder: Path, image_id: str, pixels: np.ndarray) -> Path:
    """Write (h, w) or (h, w, 3) uint8 as ``folder/<image_id>.png``, whole or not at all."""
    return write_bytes(picture_path(folder, image_id), picture_png(pixels))


def picture_png(pixels: np.ndarray) -> bytes:
    """(h, w) or (h, w, 3) uint8 as a compressed PNG file, whose bytes depend on the version of zlib."""
    content = BytesIO()
    Image.fromarray(pixels).save(content, "PNG")
    return content.getvalue()


def picture_path(folder: Path, image_id: str) -> Path:
    """``folder/<image_id>.png``; an id, which a file may give as it likes, leads nowhere else."""
    parts = ["_" if part in ("", ".", "..") else part for part in image_id.split("/")]
    return folder.joinpath(*parts[:-1], f"{parts[-1]}.png")
