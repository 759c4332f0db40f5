from __future__ import annotations

import numpy as np
from PIL import Image

from wsol.data.layouts.custom import custom_manifest
from wsol.data.splits.duplicates import content_groups, duplicate_groups, group_numbers, pixel_digest


def test_groups():
    assert duplicate_groups(["a", "", "b", "a", "", "b", "c"]) == [[0, 3], [2, 5]]
    assert group_numbers(["x", "y", "x", "z"]).tolist() == [0, 1, 0, 2]


def test_a_digest_is_of_the_pixels_and_their_shape():
    pixels = np.arange(2 * 6 * 3, dtype=np.uint8).reshape(2, 6, 3)
    digest = pixel_digest(Image.fromarray(pixels))
    assert pixel_digest(Image.fromarray(pixels.copy())) == digest
    assert pixel_digest(Image.fromarray(pixels.reshape(6, 2, 3))) != digest  # the same bytes
    pixels[1, 5, 2] += 1
    assert pixel_digest(Image.fromarray(pixels)) != digest


def test_duplicates_share_a_number_whatever_their_file(tmp_path):
    pictures = [np.random.default_rng(seed).integers(0, 255, (10, 20, 3), np.uint8) for seed in (1, 2)]
    folder = tmp_path / "images"
    folder.mkdir()
    for name, number in {"a.png": 0, "b.png": 1, "c.bmp": 1, "d.png": 0}.items():
        Image.fromarray(pictures[number]).save(folder / name)
    Image.fromarray(pictures[1]).save(folder / "e.png", compress_level=0)
    (tmp_path / "boxes.csv").write_text(
        "image,x0,y0,x1,y1\n" + "".join(f"{n},1,2,3,4\n" for n in "abcde")
    )
    split = custom_manifest(folder, tmp_path / "boxes.csv", tmp_path / "m").split("test")
    assert split.image_ids == ["a", "b", "c", "d", "e"]
    assert content_groups(split).tolist() == [0, 1, 1, 0, 1]
