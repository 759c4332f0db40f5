from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from wsol.data.annotations.annotation_pass import AnnotationPass
from wsol.data.annotations.any_format import read_annotations, read_source
from wsol.errors import UserError


def cvat(folder: Path, inner: str, more: str = "", image: str = "") -> Path:
    path = folder / "annotations.xml"
    path.write_text(
        f'<?xml version="1.0" encoding="utf-8"?><annotations><version>1.1</version><meta/>'
        f'<image id="0" name="sub/a.jpg" width="20" height="10" {image}>{inner}</image>{more}'
        "</annotations>"
    )
    return path


def test_boxes_are_half_open_pixels(tmp_path):
    path = cvat(tmp_path, '<box label="bird" xtl="3.00" ytl="2.50" xbr="9.00" ybr="6.00"/>')
    found = read_annotations(path)["sub/a.jpg"]
    assert found.boxes.tolist() == [[3, 2.5, 9, 6]] and found.categories == ["bird"]
    assert found.size == (10, 20) and found.own_classes and found.folder == tmp_path


def test_polygons_masks_and_ellipses(tmp_path):
    path = cvat(tmp_path, '<polygon label="a" points="3.0,2.0;9.0,2.0;9.0,6.0;3.0,6.0"/>')
    found = read_annotations(path)["sub/a.jpg"]
    expected = np.zeros((10, 20), bool)
    expected[2:6, 3:9] = True
    np.testing.assert_array_equal(found.mask(), expected)
    assert found.boxes.tolist() == [[3, 2, 9, 6]]
    # Along the rows of 3 x 2 pixels: one of background, three of the object, one and one.
    path = cvat(tmp_path, '<mask label="a" rle="1, 3, 1, 1" left="4" top="3" width="3" height="2"/>')
    found = read_annotations(path)["sub/a.jpg"]
    assert np.argwhere(found.mask()).tolist() == [[3, 5], [3, 6], [4, 4], [4, 6]]
    assert found.boxes.tolist() == [[4, 3, 7, 5]]
    path = cvat(tmp_path, '<ellipse label="a" cx="10" cy="5" rx="6" ry="2" rotation="90"/>')
    np.testing.assert_allclose(read_annotations(path)["sub/a.jpg"].boxes, [[8, -1, 12, 11]], atol=1e-4)


def test_a_turned_box_is_an_outline(tmp_path):
    """A quarter turn of 8 x 4 around its centre (10, 5): 4 x 8."""
    path = cvat(tmp_path, '<box label="a" xtl="6" ytl="3" xbr="14" ybr="7" rotation="90"/>')
    found = read_annotations(path)["sub/a.jpg"]
    np.testing.assert_allclose(found.boxes, [[8, 1, 12, 9]], atol=1e-5)
    mask = found.mask()
    assert mask is not None and mask[1:9, 8:12].all() and mask.sum() == 32


def test_tags_splits_and_images_without_object(tmp_path):
    more = '<image id="1" name="b.jpg" width="20" height="10"/>'
    path = cvat(tmp_path, '<tag label="night"/>', more, 'subset="Validation"')
    found = read_annotations(path)
    assert found["sub/a.jpg"].label == "night" and found["sub/a.jpg"].split == "Validation"
    assert found["b.jpg"].objects == () and found["b.jpg"].label == found["b.jpg"].split == ""


def test_what_has_no_area_is_counted(tmp_path):
    inner = '<points label="a" points="1,1"/><polyline points="1,1;2,2"/><skeleton/><hologram/>'
    reading = AnnotationPass()
    read_source(cvat(tmp_path, inner), reading)
    path = tmp_path / "annotations.xml"
    assert reading.notes == [
        f"{path}: 1 <hologram> are left out",
        f"{path}: 3 points, lines, cuboids and skeletons are left out",
    ]


@pytest.mark.parametrize(
    ("inner", "message"),
    [
        ('<box xtl="9" ytl="2" xbr="3" ybr="6"/>', "box 1: x1 (3) is not right of x0 (9)"),
        ('<box xtl="nan" ytl="2" xbr="3"/>', "box 1: 'nan' '2' '3' '' are not four numbers, xtl"),
        ('<polygon points="1,1;2,2"/>', "polygon 1: its points are not three or more pairs"),
        (
            '<mask rle="1, 3" left="4" top="3" width="3" height="2"/>',
            "mask 1: rle does not fill a mask of 3 x 2 pixels",
        ),
    ],
)
def test_findings_name_the_shape(tmp_path, inner, message):
    path = cvat(tmp_path, inner)
    with pytest.raises(UserError) as caught:
        read_annotations(path)
    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"{path} image 1 {message}")
