"""Where pictures of images are written."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wsol.files.pictures.picture_files import picture_path, write_picture


@pytest.mark.parametrize(
    ("image_id", "path"),
    [
        ("a", "a.png"),
        ("a/b.c", "a/b.c.png"),
        ("a_b", "a_b.png"),
        ("../a", "_/a.png"),
        ("/a/..", "_/a/_.png"),
    ],
)
def test_paths_follow_ids_and_stay_inside(image_id, path):
    assert picture_path(Path("out"), image_id) == Path("out") / path


def test_the_picture_is_what_was_given(tmp_path):
    mask = np.eye(5, dtype=np.uint8) * 255
    written = write_picture(tmp_path, "birds/one", mask)
    assert written == tmp_path / "birds" / "one.png"
    np.testing.assert_array_equal(np.asarray(Image.open(written)), mask)
