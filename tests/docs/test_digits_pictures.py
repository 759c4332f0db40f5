"""The contact sheets of digits show what the manifests hold, in small files."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wsol.data.digits.tests import TESTS
from wsol.data.layouts import DATASETS
from wsol.data.prepare import prepare

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def sheets(generate):
    """The script that draws them."""
    return generate("digits_pictures")


def test_every_pixel_of_the_objects_is_shown_in_their_colour(sheets, tmp_path):
    """Counted in the files of a manifest prepared here; each pixel stands for nine of the sheet."""
    drawn = np.asarray(sheets.sheet("none"))
    options = DATASETS.get("digits").options(test="none", train=0, val=0, images=10)
    prepare("digits", None, tmp_path / "set", options=options)
    files = sorted((tmp_path / "set/parts/test").iterdir())
    assert len(files) == 10
    pixels = sum(int((np.asarray(Image.open(file)) == 1).sum()) for file in files)
    without_legend = drawn[: -sheets.LEGEND]
    assert (without_legend == sheets.COLOURS["object"]).all(axis=2).sum() == 9 * pixels


def test_a_frame_stands_around_its_box(sheets, tmp_path):
    """Found from the codes of the first image's file."""
    options = DATASETS.get("digits").options(test="none", train=0, val=0, images=1)
    prepare("digits", None, tmp_path / "set", options=options)
    codes = np.asarray(Image.open(tmp_path / "set/parts/test/00000.png"))
    ys, xs = np.nonzero(codes == 1)
    tile = np.asarray(sheets.sheet("none"))[sheets.TITLE + sheets.HEADING :, sheets.MARGIN :]
    red = (tile[:192, :192] == sheets.BOX).all(axis=2)
    rows, columns = np.nonzero(red)
    # Frames end where the picture does.
    assert rows.min() == max(0, ys.min() * 3 - 3) and rows.max() == min(192, (ys.max() + 1) * 3 + 3) - 1
    assert columns.min() == max(0, xs.min() * 3 - 3)
    assert columns.max() == min(192, (xs.max() + 1) * 3 + 3) - 1
    inside = red[ys.min() * 3 : ys.max() * 3 + 3, xs.min() * 3 : xs.max() * 3 + 3]
    assert not inside.any()


def test_an_unknown_test_is_said(sheets, capsys):
    with pytest.raises(SystemExit):
        sheets.main(["several", "many"])
    assert "no such test: many" in capsys.readouterr().err


@pytest.mark.parametrize("name", TESTS)
def test_every_test_has_a_committed_sheet(name):
    path = ROOT / "docs" / "pictures" / f"digits-{name}.png"
    assert path.stat().st_size <= 150_000
    assert Image.open(path).width == 1988  # ten images of 192 pixels
