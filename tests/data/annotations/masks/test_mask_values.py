"""Masks with void, with codes that may mean two things, and with declared values."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from wsol.data.annotations.annotation_pass import AnnotationPass
from wsol.data.annotations.any_format import read_by_name
from wsol.data.annotations.mask_values import MaskValues
from wsol.errors import UserError

CODES = np.zeros((12, 20), np.uint8)
CODES[1:5, 2:8], CODES[5:11, 2:8], CODES[1:11, 12:16] = 8, 12, 255


def read(folder, *values):
    reading = AnnotationPass(mask_values=MaskValues.parse(values) if values else None)
    return read_by_name(folder, reading), reading


def grey(tmp_path, codes=CODES):
    Image.fromarray(codes).save(tmp_path / "a.png")
    return tmp_path


def test_void_of_a_palette_is_ignored_and_told(tmp_path):
    image = Image.frombytes("P", (20, 12), CODES.tobytes())
    image.putpalette([(7 * index) % 256 for index in range(768)])
    image.save(tmp_path / "a.png")
    found, reading = read(tmp_path)
    np.testing.assert_array_equal(found["a"].mask(), (CODES == 8) | (CODES == 12))
    np.testing.assert_array_equal(found["a"].ignore_mask(), CODES == 255)
    assert not reading.findings and "255 is void in 1 palette mask, " in reading.notes[0]
    assert "40 pixels" in reading.notes[0]


def test_grey_codes_beside_255_must_be_declared(tmp_path):
    _, reading = read(grey(tmp_path))
    assert len(reading.findings) == 1 and "--mask-values object=1-254 ignore=255" in reading.findings[0]
    soft = np.where(CODES == 255, 255, 0).astype(np.uint8)
    soft[0, 12:16] = 90  # one row between object and background
    for codes in (soft, np.where(CODES == 12, 255, CODES * 0 + 51).astype(np.uint8) * (CODES > 0)):
        _, reading = read(grey(tmp_path, codes.astype(np.uint8)))
        assert not reading.findings and not reading.notes


def test_declared_values_make_classes_and_void(tmp_path):
    found, reading = read(grey(tmp_path), "cat=8", "dog=12,40", "ignore=255")
    objects = {item.category: item for item in found["a"].objects if not item.ignore}
    assert set(objects) == {"cat", "dog"}
    np.testing.assert_array_equal(objects["dog"].mask.pixels(), CODES == 12)
    np.testing.assert_array_equal(found["a"].ignore_mask(), CODES == 255)
    assert found["a"].categories == ["dog", "cat"]  # 36 pixels and 24
    assert len(reading.notes) == 1 and "--mask-values dog=40: in none of the 1 masks" in reading.notes[0]


def test_what_is_not_declared_is_background_and_told(tmp_path):
    found, reading = read(grey(tmp_path), "object=1-10")
    np.testing.assert_array_equal(found["a"].mask(), CODES == 8)
    assert "(12, 255): they are background" in reading.notes[0]


def test_colours_of_rgb_and_of_a_palette(tmp_path):
    pixels = np.zeros((12, 20, 3), np.uint8)
    pixels[CODES == 8], pixels[CODES == 12] = (224, 64, 32), (224, 224, 192)
    for mode in ("RGB", "P"):
        Image.fromarray(pixels).convert(mode, palette=Image.Palette.ADAPTIVE).save(tmp_path / "a.png")
        found, reading = read(tmp_path, "object=#e04020", "ignore=#E0E0C0")
        np.testing.assert_array_equal(found["a"].mask(), CODES == 8)
        np.testing.assert_array_equal(found["a"].ignore_mask(), CODES == 12)
        assert not reading.findings and not reading.notes
    Image.fromarray(pixels).save(tmp_path / "a.png")
    _, reading = read(tmp_path, "object=1-20")
    assert "is in colours (#000000, #e04020, #e0e0c0); declare colours" in reading.findings[0]


@pytest.mark.parametrize("values", [CODES.astype(np.uint16) * 200, CODES.astype(np.int32) - 1])
def test_arrays_and_deep_pictures_have_their_own_values(tmp_path, values):
    if values.dtype == np.uint16:
        Image.fromarray(values).save(tmp_path / "a.png")
    else:
        np.save(tmp_path / "a.npy", values)
    chosen = int(values[1, 2])
    found, _ = read(tmp_path, f"object={chosen}")
    np.testing.assert_array_equal(found["a"].mask(), CODES == 8)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["object"], "write NAME=VALUES"),
        (["object=a"], "'a' is no value"),
        (["object=9-3"], "'9-3' is no value"),
        (["cat=1-5", "dog=4"], "4 is both cat and dog"),
        (["cat=#000001", "dog=#000001"], "#000001 is both cat and dog"),
        (["ignore=255"], "nothing is an object"),
    ],
)
def test_what_cannot_be_meant_is_named(given, said):
    with pytest.raises(UserError, match=said):
        MaskValues.parse(given)


def test_values_without_masks_are_a_finding(tmp_path):
    (tmp_path / "a.csv").write_text("image_id,x0,y0,x1,y1\na,1,2,3,4\n")
    _, reading = read(tmp_path / "a.csv", "object=1")
    reading.check_options()
    assert "--mask-values has nothing to apply to" in reading.findings[0]


def test_jpeg_masks_are_told_and_photographs_refused(tmp_path):
    Image.fromarray(np.where(CODES == 255, 255, 0).astype(np.uint8)).save(tmp_path / "a.jpg")
    _, reading = read(tmp_path)
    assert "1 mask as JPEG" in reading.notes[0] and not reading.findings
    noise = np.random.default_rng(0).integers(0, 255, (40, 40), np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.jpg", quality=95)
    _, reading = read(tmp_path)
    assert "looks like a photograph" in reading.findings[0]


def test_values_that_make_no_object_anywhere_are_a_finding_and_empty_masks_are_not(tmp_path):
    _, reading = read(grey(tmp_path), "object=99")
    assert "none of its 1 masks holds a value that --mask-values calls an object" in reading.findings[0]
    assert "they hold 8, 12, 255" in reading.findings[0]
    Image.fromarray(np.zeros((12, 20), np.uint8)).save(tmp_path / "a.png")
    _, reading = read(tmp_path, "object=99")
    assert not reading.findings


def test_one_code_beside_255_may_be_the_object_with_255_as_void(tmp_path):
    codes = np.zeros((12, 20), np.uint8)
    codes[2:8, 2:8], codes[9:, 9:] = 1, 255
    Image.fromarray(codes).save(tmp_path / "a.png")
    _, reading = read(tmp_path)
    assert "say whether 255 is void, --mask-values object=1-254 ignore=255" in reading.findings[0]
