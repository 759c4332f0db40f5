"""Which tool a JSON file comes from, by its keys."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wsol.data.annotations.kinds.kind import Kind
from wsol.errors import UserError
from wsol.files.reading import read_json

COCO = Kind("COCO JSON")
RESULTS = Kind("COCO results")
LABELME = Kind("LabelMe JSON")
BROKEN = Kind("JSON that cannot be read")  # its reader says what is wrong

VIA = Kind("VGG Image Annotator project", "export the annotations in COCO format")
LABEL_STUDIO = Kind("Label Studio JSON", "export it as COCO, YOLO or Pascal VOC XML")
CREATE_ML = Kind("CreateML JSON", "export it as COCO JSON or VOC XML")
GEO_JSON = Kind("GeoJSON", "its points are places on Earth; export COCO JSON or masks in pixels")
SUPERVISELY = Kind("Supervisely JSON", "export it as COCO JSON or Pascal VOC")

LARGE = 2**25  # bytes; a larger file is judged by its beginning, since reading it twice takes long
COCO_KEYS = {"images", "annotations", "categories"}


def kind_of_json(path: Path) -> Kind | None:
    """What the JSON file is; None where its keys are none of a known tool."""
    try:
        if path.stat().st_size > LARGE:
            with path.open("rb") as file:
                return LABELME if b'"shapes"' in file.read(2**12) else COCO
        content = read_json(path)
    except (OSError, UserError):
        return BROKEN
    if isinstance(content, dict):
        return _kind_of_object(content)
    return _kind_of_list(content) if isinstance(content, list) else None


def _kind_of_object(content: dict[str, Any]) -> Kind | None:
    keys = set(content)
    if "shapes" in keys or {"imagePath", "imageData"} <= keys:
        return LABELME
    if any(key.startswith("_via_") for key in keys):
        return VIA
    if content.get("type") == "FeatureCollection" or content.get("type") == "Feature":
        return GEO_JSON
    if keys & COCO_KEYS:
        return COCO
    if {"size", "objects"} <= keys:
        return SUPERVISELY
    entries = list(content.values())
    if entries and all(isinstance(entry, dict) and "regions" in entry for entry in entries):
        return VIA
    if "data" in keys and keys & {"completions", "predictions", "result"}:
        return LABEL_STUDIO
    return None


def _kind_of_list(content: list[Any]) -> Kind | None:
    if not content:
        return RESULTS  # a detector that found nothing anywhere
    entries = [entry for entry in content if isinstance(entry, dict)]
    if any("image_id" in entry for entry in entries):
        return RESULTS
    if any("data" in entry or "completions" in entry for entry in entries):
        return LABEL_STUDIO
    if any("image" in entry and "annotations" in entry for entry in entries):
        return CREATE_ML
    return None
