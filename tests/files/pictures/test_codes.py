"""Codes of parts in the pixels of grey and palette images."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from wsol.errors import UserError
from wsol.files.pictures.images import open_codes
from wsol.files.pictures.mask_file import codes_in


@pytest.mark.parametrize("mode", ["L", "P"])
def test_codes_are_grey_values_or_indices_of_a_palette(tmp_path, mode):
    codes = np.array([[0, 1, 200], [255, 7, 0]], np.uint8)
    image = Image.fromarray(codes)
    if mode == "P":
        image = Image.frombytes("P", (3, 2), codes.tobytes())
        image.putpalette([0, 0, 0] * 256)  # all black: the index tells
    image.save(tmp_path / "codes.png")
    found = open_codes(tmp_path / "codes.png")
    assert found.dtype == np.uint8 and found.tolist() == codes.tolist()
    assert codes_in(found) == sorted(set(codes.ravel().tolist())) == [0, 1, 7, 200, 255]


def test_what_holds_no_codes_is_named(tmp_path):
    path = tmp_path / "codes.png"
    for mode in ("RGB", "I;16", "1", "RGBA", "LA"):
        Image.new(mode, (3, 2)).save(path)
        with pytest.raises(UserError, match=rf"codes\.png: codes of parts .* mode {mode}$"):
            open_codes(path)
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (90, 90), np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(UserError, match=r"codes\.png: damaged image"):
        open_codes(path)
