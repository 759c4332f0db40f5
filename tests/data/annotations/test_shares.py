"""Boxes as shares of the image: declared, or refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from wsol.data.annotations.annotation_pass import AnnotationPass
from wsol.data.annotations.any_format import read_source
from wsol.data.annotations.shares import in_pixels
from wsol.data.inspection.data_check import check_data
from wsol.data.layouts.custom import custom_manifest
from wsol.data.manifest.manifest import Manifest
from wsol.data.manifest.manifest_draft import DraftBox, DraftImage, ManifestDraft
from wsol.data.manifest.manifest_writing import write_manifest
from wsol.errors import UserError

BOX = [0.25, 0.5, 0.5, 0.25]  # of 20 x 10 pixels: 5, 5, 15, 7.5


def coco(path: Path, *boxes: list[float]) -> Path:
    items = [{"image_id": 1, "bbox": box} for box in boxes]
    items[0]["segmentation"] = [[0.25, 0.5, 0.75, 0.5, 0.75, 0.8, 0.25, 0.8]]
    image = {"id": 1, "file_name": "a.jpg", "width": 20, "height": 10}
    path.write_text(json.dumps({"images": [image], "annotations": items}))
    return path


def test_declared_shares_are_pixels_of_the_image(tmp_path):
    (image,) = read_source(coco(tmp_path / "a.json", BOX), AnnotationPass("shares"))
    pixels = in_pixels(image, (10, 20))
    assert pixels.boxes.tolist() == [[5, 5, 15, 7.5]]
    mask = pixels.mask()
    assert mask is not None and mask.sum() == 30 and mask[5:8, 5:15].all()
    table = tmp_path / "a.csv"
    for text in (
        "image,x,y,width,height\na.jpg,0.25,0.5,0.5,0.25\n",
        "ImageID,XMin,XMax,YMin,YMax\na,0.25,0.75,0.5,0.75\n",
    ):
        table.write_text(text)
        (image,) = read_source(table, AnnotationPass("shares"))
        assert in_pixels(image, (10, 20)).boxes.tolist() == [[5, 5, 15, 7.5]]


def test_undeclared_and_mixed_ones_are_refused(tmp_path):
    (tmp_path / "images").mkdir()
    Image.new("RGB", (20, 10)).save(tmp_path / "images/a.jpg")
    with pytest.raises(UserError, match="all 1 boxes lie within one pixel"):
        custom_manifest(tmp_path / "images", coco(tmp_path / "a.json", BOX), tmp_path / "m")
    assert not (tmp_path / "m").exists()
    reading = AnnotationPass("shares")
    read_source(coco(tmp_path / "a.json", BOX, [5, 5, 10, 2]), reading)
    assert len(reading.findings) == 1 and "5 5 15 7 are no shares" in reading.findings[0]
    for pixels, finding in ((1, True), (2, False)):
        path = tmp_path / "a.csv"
        rows = ["a,0.25,0.5,0.5,0.25", *["a,5,5,10,2"] * pixels]
        path.write_text("image,x,y,w,h\n" + "\n".join(rows))
        reading = AnnotationPass()
        read_source(path, reading)
        said = reading.findings if finding else reading.notes
        assert f"1 of {pixels + 1} boxes lie within one pixel" in said[0]
        assert bool(reading.findings) == finding


@pytest.mark.parametrize(
    ("box", "count"), [((1, 1, 9, 9), 0), ((0, 0, 1, 1), 0), ((0.25, 0.5, 0.75, 0.75), 1)]
)
def test_a_manifest_of_shares_taken_for_pixels_is_a_finding(tmp_path, box, count):
    Image.new("RGB", (20, 10)).save(tmp_path / "a.jpg")
    draft = ManifestDraft("custom", "one", "", tmp_path, [], [])
    draft.images = [DraftImage("a", "a.jpg", None, "test", (DraftBox(box, box, "here"),))]
    write_manifest(tmp_path / "m", draft)
    findings = check_data(Manifest.read(tmp_path / "m")).findings
    assert len(findings) == count and all("--corners shares" in line for line in findings)
