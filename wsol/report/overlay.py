"""One picture of what a localizer sees: image, score map, predicted box, true boxes."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

# RGB. The heat runs from black through red to yellow; green and blue stand out from all of it.
TRUE_COLOR = (60, 220, 110)
PREDICTED_COLOR = (60, 170, 255)

HEAT_OPACITY = 0.65


def draw_overlay(
    image: np.ndarray,
    score_map: np.ndarray | None,
    predicted_box: np.ndarray | Sequence[float] | None,
    true_boxes: np.ndarray | Sequence[Sequence[float]] = (),
    caption: str = "",
    side: int = 256,
) -> np.ndarray:
    """Draw the map as heat over the image, the true boxes green, the predicted box blue.

    Args:
        image: (H, W, 3) uint8 RGB.
        score_map: (h, w) of any range and size, stretched over the whole image; None draws no heat.
        predicted_box: ``x0, y0, x1, y1``, half-open, in pixels of ``image``; None draws none.
        true_boxes: (n, 4) likewise.
        caption: a line of text under the picture; empty adds no line.
        side: the longer side of the picture in pixels.

    Returns:
        (H', W', 3) uint8 RGB, its longer side ``side`` (the caption's line comes on top of it).
    """
    height, width = image.shape[:2]
    scale = side / max(height, width)
    picture = resize(image, side)
    if score_map is not None:
        picture = _heat(picture, score_map)
    for box in np.asarray(true_boxes, np.float64).reshape(-1, 4):
        _frame(picture, box * scale, TRUE_COLOR)
    if predicted_box is not None:
        _frame(picture, np.asarray(predicted_box, np.float64) * scale, PREDICTED_COLOR)
    return _with_caption(picture, caption) if caption else picture


def resize(image: np.ndarray, side: int) -> np.ndarray:
    """A (H, W, 3) uint8 image scaled so that its longer side is ``side``."""
    height, width = image.shape[:2]
    scale = side / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    rule = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return cv2.resize(np.ascontiguousarray(image), size, interpolation=rule)


def _heat(picture: np.ndarray, score_map: np.ndarray) -> np.ndarray:
    """Blend the min-max normalised map in, the stronger the more opaque: cold regions stay visible."""
    height, width = picture.shape[:2]
    scores = np.nan_to_num(np.asarray(score_map, np.float32), posinf=0, neginf=0)
    span = float(scores.max() - scores.min())
    if span == 0:
        return picture
    # Normalised before it is resized: interpolation leaves rounding noise on a constant map.
    strength = cv2.resize((scores - scores.min()) / span, (width, height), interpolation=cv2.INTER_CUBIC)
    strength = strength.clip(0, 1)
    colors = cv2.applyColorMap((255 * strength).astype(np.uint8), cv2.COLORMAP_HOT)[:, :, ::-1]
    opacity = HEAT_OPACITY * strength[:, :, None]
    return np.rint(picture * (1 - opacity) + colors * opacity).astype(np.uint8)


def _frame(picture: np.ndarray, box: np.ndarray, color: tuple[int, int, int]) -> None:
    """Draw a half-open box with a dark rim, in place."""
    height, width = picture.shape[:2]
    x0, y0 = (round(value) for value in box[:2])
    x1, y1 = (round(value) - 1 for value in box[2:])
    corners = (max(x0, 0), max(y0, 0)), (min(x1, width - 1), min(y1, height - 1))
    cv2.rectangle(picture, *corners, (0, 0, 0), 4)
    cv2.rectangle(picture, *corners, color, 2)


def _with_caption(picture: np.ndarray, caption: str) -> np.ndarray:
    height, width = picture.shape[:2]
    canvas = Image.new("RGB", (width, height + 20), "black")
    canvas.paste(Image.fromarray(picture), (0, 0))
    ImageDraw.Draw(canvas).text((4, height + 3), caption, "white", font=ImageFont.load_default(12))
    return np.asarray(canvas)
