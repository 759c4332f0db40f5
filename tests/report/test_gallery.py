from __future__ import annotations

import cv2
import numpy as np
import pytest

from wsol.errors import UserError
from wsol.report import Tile, gallery_images, save_gallery
from wsol.report.gallery import StoredTile, has_gallery, pick, read_gallery


def tile(image_id: str, iou: float | None = 0.5) -> Tile:
    image = np.full((40, 60, 3), (200, 30, 30), np.uint8)
    return Tile(image_id, image, None, None, np.zeros((0, 4)), iou, "Säge <b>")


def test_what_is_saved_is_read_back(tmp_path):
    save_gallery(tmp_path, "ab12", [tile("a/1.jpg", 0.25), tile("b", None)])
    gallery = read_gallery(tmp_path, "ab12")
    assert [(t.image_id, t.iou, t.title) for t in gallery.values()] == [
        ("a/1.jpg", 0.25, "Säge <b>"),
        ("b", None, "Säge <b>"),
    ]
    picture = cv2.imread(str(gallery["a/1.jpg"].overlay))
    assert picture is not None and picture.shape == (171, 256, 3)
    # OpenCV reads blue first: the red image came through as red.
    assert picture[..., 2].mean() > 180 and picture[..., 0].mean() < 60


def test_no_index_no_gallery(tmp_path):
    assert read_gallery(tmp_path, "ab12") == {}


@pytest.mark.parametrize("lost", ["index.json", "0.jpg", "1_image.jpg", "damaged index"])
def test_a_gallery_is_whole_or_not_there(tmp_path, lost):
    place = save_gallery(tmp_path, "ab12", [tile("a"), tile("b")]).parent
    assert has_gallery(place)
    if lost == "damaged index":
        (place / "index.json").write_text("{")
    else:
        (place / lost).unlink()
    assert not has_gallery(place)


def test_a_gallery_that_is_half_drawn_anew_is_not_there(tmp_path):
    place = save_gallery(tmp_path, "ab12", [tile("a")]).parent

    def tiles():
        yield tile("a")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        save_gallery(tmp_path, "ab12", tiles())
    assert not has_gallery(place)


def test_a_broken_index_is_named(tmp_path):
    (tmp_path / "ab12").mkdir()
    (tmp_path / "ab12" / "index.json").write_text('{"tiles": [{"image_id": "a"}]}')
    with pytest.raises(UserError, match=r"ab12.index\.json"):
        read_gallery(tmp_path, "ab12")


def test_an_index_cannot_embed_other_files(tmp_path):
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    index = save_gallery(tmp_path / "report", "ab12", [tile("a")])
    index.write_text(index.read_text().replace('"0.jpg"', '"../../secret.jpg"'))
    assert read_gallery(tmp_path / "report", "ab12") == {}


def test_every_run_shows_the_same_images_whatever_their_order():
    ids = [f"image-{n}" for n in range(100)]
    chosen = gallery_images(ids, 10)
    assert chosen == gallery_images(reversed(ids), 10)
    assert len(set(chosen)) == 10
    assert chosen != gallery_images(ids, 10, seed=1)
    # A run on some of the images shares with one on all what it can.
    assert [image for image in chosen if image in ids[:50]] == [
        image for image in gallery_images(ids[:50], 50) if image in chosen
    ]


def test_the_second_half_is_where_rows_disagree(tmp_path):
    def gallery(ious: dict[str, float]) -> dict[str, StoredTile]:
        return {i: StoredTile(i, "", iou, tmp_path, tmp_path) for i, iou in ious.items()}

    ids = gallery_images([f"image-{n}" for n in range(20)], 20)
    same = dict.fromkeys(ids, 0.6)
    disputed = {**same, ids[15]: 0.0, ids[9]: 0.3}
    chosen = pick([gallery(same), gallery(disputed)], count=4)
    assert chosen == [ids[0], ids[1], ids[15], ids[9]]


def test_only_images_that_rows_share_are_shown(tmp_path):
    tiles = {i: StoredTile(i, "", 0.5, tmp_path, tmp_path) for i in "abc"}
    assert pick([tiles, {"b": tiles["b"]}]) == ["b"]
    assert pick([{}, {}]) == []


def test_an_iou_that_is_no_number_is_named(tmp_path):
    index = save_gallery(tmp_path, "ab12", [tile("a", 0.25)])
    index.write_text(index.read_text().replace("0.25", '"good"'))
    with pytest.raises(UserError, match=r"ab12.index\.json"):
        read_gallery(tmp_path, "ab12")
