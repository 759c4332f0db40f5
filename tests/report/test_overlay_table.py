from __future__ import annotations

import base64

import cv2
import numpy as np

from wsol.board import read_board
from wsol.report import Tile, save_gallery, write_report
from wsol.report.overlay_table import overlay_table
from wsol.report.row_style import style_rows


def test_rows_show_the_same_images_with_their_iou(results, parse, row_texts):
    page = parse(write_report(results).read_text(encoding="utf-8"))
    (table,) = page.all("table", **{"class": "gallery"})
    assert row_texts(table) == [
        ["Image", "", ""],
        ["rfga", "0.60", "0.60"],
        ["Centred box", "0.40", "0.40"],
        ["CAM", "0.40", "0.40"],
    ]
    kinds = [[small.classes for small in row.all("small")] for row in table.all("tr")]
    assert kinds == [[[], []], [["up"]] * 2, [["down"]] * 2, [["down"]] * 2]
    alts = [image.attributes["alt"] for image in table.all("tr")[1].all("img")]
    titles = [image.attributes["title"] for image in table.all("tr")[0].all("img")]
    assert alts == [f"{title}, rfga" for title in titles]
    assert sorted(titles) == ["image/0", "image/1"]


def test_an_image_that_a_row_lacks_leaves_its_place_empty(results):
    (section,) = read_board(results).sections
    styles = style_rows(section.rows, 0)
    picture = np.full((16, 16, 3), (0, 0, 250), np.uint8)
    names = ("image/0", "image/1")
    for style, kept in zip(styles, (names, names, names[:1]), strict=True):
        tiles = [Tile(name, picture, None, None, np.zeros((0, 4)), None, "blue") for name in kept]
        save_gallery(results / "report", style.row.records[0].run_id, tiles)
    table = overlay_table(styles, results / "report")
    # Only images that all rows share are shown, as long as there is one.
    assert table is not None
    assert [image.title for image in table.images] == ["image/0 blue"]
    assert [image.caption for image in table.images] == ["blue"]
    (shown,) = table.strips[2].pictures
    assert shown is not None and (shown.caption, shown.kind) == ("", "")
    pixels = cv2.imdecode(np.frombuffer(base64.b64decode(shown.jpeg), np.uint8), cv2.IMREAD_COLOR)
    # OpenCV gives blue first.
    assert pixels is not None and pixels[..., 0].mean() > 230 and pixels[..., 2].mean() < 30


def test_rows_that_share_no_image_have_empty_places(results, parse):
    (section,) = read_board(results).sections
    styles = style_rows(section.rows, 0)
    picture = np.zeros((16, 16, 3), np.uint8)
    for style, name in zip(styles, "abc", strict=True):
        tiles = [Tile(name, picture, None, None, np.zeros((0, 4)), 0.7)]
        save_gallery(results / "report", style.row.records[0].run_id, tiles)
    page = parse(write_report(results).read_text(encoding="utf-8"))
    rows = page.all("table", **{"class": "gallery"})[0].all("tr")
    assert [len(row.all("td")) for row in rows] == [3, 3, 3, 3]
    assert [len(row.all("img")) for row in rows] == [3, 1, 1, 1]


def test_no_gallery_no_table(results):
    (section,) = read_board(results).sections
    assert overlay_table(style_rows(section.rows, 0), results / "nowhere") is None
