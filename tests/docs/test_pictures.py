"""The pictures of the README: every row's tiles at their places, small files, and a clear word."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wsol.report.gallery import Tile, read_gallery, save_gallery

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def pictures(generate):
    """The script that draws them."""
    return generate("pictures")


def gallery(folder, run_id, grey):
    image = np.full((64, 64, 3), grey, np.uint8)
    tiles = [Tile(f"image{n}", image, None, None, np.zeros((0, 4)), iou=0.5) for n in range(5)]
    save_gallery(folder, run_id, tiles)
    return read_gallery(folder, run_id)


def test_each_row_has_a_panel_of_its_own_four_tiles(pictures, tmp_path):
    greys = {"CAM": 40, "RFGA": 90, "TDAM": 140, "LTPA": 190}
    drawn = pictures.overlays({name: gallery(tmp_path, name, grey) for name, grey in greys.items()})
    assert drawn.width == 1200
    pixels = np.asarray(drawn).astype(int)
    for number, grey in enumerate(greys.values()):
        panel = pixels[58:332, 10 + number * 297 : 300 + number * 297]
        tiles = (abs(panel - grey) < 4).all(axis=2)
        assert tiles.sum() == pytest.approx(4 * 135**2, rel=0.02)  # two by two, 135 pixels a side


def test_a_picture_with_too_many_bytes_loses_colours(pictures, tmp_path, capsys):
    noise = np.random.default_rng(0).integers(0, 256, (330, 400, 3), np.uint8)
    pictures.save(Image.fromarray(noise), tmp_path / "noise.png")  # 396,000 bytes of noise
    assert (tmp_path / "noise.png").stat().st_size <= 250_000
    assert "noise.png: 400 x 330" in capsys.readouterr().out
    plain = Image.new("RGB", (50, 40), (12, 34, 56))
    pictures.save(plain, tmp_path / "plain.png")
    assert Image.open(tmp_path / "plain.png").convert("RGB").getcolors() == [(2000, (12, 34, 56))]


def test_without_a_browser_the_report_is_left_out_and_that_is_said(
    pictures, monkeypatch, tmp_path, capsys
):
    monkeypatch.setattr(pictures.shutil, "which", lambda name: None)
    galleries = {"CAM": gallery(tmp_path, "cam", 80)}
    monkeypatch.setattr(pictures, "demo_galleries", lambda results: galleries)
    assert pictures.main([str(tmp_path), "--output", str(tmp_path / "out")]) == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["overlays.png"]
    assert "report.png: left out, none of chromium," in capsys.readouterr().out


def test_a_browser_that_is_not_there_is_one_line(pictures, monkeypatch, tmp_path, capsys):
    galleries = {"CAM": gallery(tmp_path, "cam", 80)}
    monkeypatch.setattr(pictures, "demo_galleries", lambda results: galleries)
    (tmp_path / "report.html").write_text("<p>page</p>")
    command = [str(tmp_path), "--output", str(tmp_path / "out"), "--browser", "no-such-browser"]
    assert pictures.main(command) == 2
    assert capsys.readouterr().err.startswith("error: no-such-browser: ")


@pytest.mark.parametrize("name", ["overlays.png", "report.png"])
def test_committed_pictures_are_small(name):
    path = ROOT / "docs" / "pictures" / name
    assert path.stat().st_size <= 250_000
    assert Image.open(path).width >= 1200
