"""Folders of score maps: every spelling that is read, and every one that is refused."""

from __future__ import annotations

import numpy as np
import pytest

from wsol.errors import UserError
from wsol.evaluation.evaluator import evaluate
from wsol.evaluation.map_folder import MapFolder, read_classes
from wsol.evaluation.protocol import protocol
from wsol.records import Annotation

BOX = np.array([[1, 1, 5, 5]], np.float32)
ANNOTATIONS = [
    Annotation(name, label, (8, 8), BOX, BOX) for label, name in enumerate(("x/a.jpg", "b", "ü c"))
]


def saved(folder, dtype=np.float32):
    for number, annotation in enumerate(ANNOTATIONS):
        path = folder / annotation.image_id
        path.parent.mkdir(parents=True, exist_ok=True)
        score_map = np.random.default_rng(number).random((4 + number, 6)).astype(dtype)
        if number == 1:
            np.savez_compressed(f"{path}.npz", score_map)
        else:
            np.save(f"{path}.npy", score_map)
    return folder


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_maps_come_in_the_annotations_order(tmp_path, dtype):
    folder = MapFolder(saved(tmp_path, dtype), ANNOTATIONS)
    predictions = list(folder)
    assert [prediction.image_id for prediction in predictions] == ["x/a.jpg", "b", "ü c"]
    assert [prediction.score_map.shape for prediction in predictions] == [(4, 6), (5, 6), (6, 6)]
    assert predictions[0].score_map.dtype == dtype
    assert [prediction.label for prediction in predictions] == [0, 1, 2]
    assert predictions[0].top5 == () and len(folder) == 3


def test_maps_of_other_images_are_counted(tmp_path):
    saved(tmp_path)
    result = evaluate(MapFolder(tmp_path, ANNOTATIONS[1:]), ANNOTATIONS[1:], protocol("choe2020", 0.1))
    assert result.counts["maps_without_image"] == 1
    assert result.n_images == 2


def test_a_missing_map_a_double_one_and_a_missing_folder_are_named(tmp_path):
    saved(tmp_path)
    (tmp_path / "x" / "a.jpg.npy").unlink()
    with pytest.raises(UserError, match=r"no score map .* for 1 of 3 images, e\.g\. x/a\.jpg"):
        MapFolder(tmp_path, ANNOTATIONS)
    np.save(tmp_path / "b.npy", np.ones((3, 3)))
    with pytest.raises(UserError, match=r"b\.np[yz] is there too"):
        MapFolder(tmp_path, ANNOTATIONS[1:])
    with pytest.raises(UserError, match="no such folder"):
        MapFolder(tmp_path / "absent", ANNOTATIONS)


def test_files_that_are_no_maps_are_named(tmp_path):
    annotations = [ANNOTATIONS[1]]
    for name, write in {
        "b.npy": lambda path: path.write_bytes(b"\x93NUMPY garbage"),
        "b.npz": lambda path: np.savez(path, a=np.ones((2, 2)), b=np.ones((2, 2))),
    }.items():
        path = tmp_path / name
        write(path)
        with pytest.raises(UserError, match=name):
            list(MapFolder(tmp_path, annotations))
        path.unlink()
    np.save(tmp_path / "b.npy", np.array([{"pickled": 1}]), allow_pickle=True)
    with pytest.raises(UserError, match=r"b\.npy"):
        list(MapFolder(tmp_path, annotations))


def test_classes_by_label_or_key(tmp_path):
    saved(tmp_path)
    (tmp_path / "predictions.csv").write_text(
        '\ufeffimage_id, top1, top2\r\nb,n02,0\r\n"x/a.jpg", n00, n01\r\nü c,1,\r\nother,2,0\r\n',
        encoding="utf-8",
    )
    keys = {"n00": 0, "n01": 1, "n02": 2}
    folder = MapFolder(tmp_path, ANNOTATIONS, keys)
    assert [prediction.top5 for prediction in folder] == [(0, 1), (2, 0), (1,)]
    result = evaluate(folder, ANNOTATIONS, protocol("choe2020", 0.1), intervals=False)
    assert result["top1_acc"] == pytest.approx(100 / 3)


@pytest.mark.parametrize(
    "text, message",
    [
        ("image_id,top1\na,7\n", "line 2: unknown class '7'"),
        ("image_id,top1\na,cat\n", "line 2: unknown class 'cat'"),
        ("image_id,top1\na,1\nb,1\na,1\n", "line 4: 'a' is there already"),
        ("image_id,top1\na,1,2\n", "line 2: 3 cells"),
        ("image_id,top1\na,\n", "line 2: no class"),
        ("image,class\na,1\n", "line 1: the columns are not"),
        ("", "line 1: the columns are not"),
    ],
)
def test_what_is_wrong_with_the_classes_is_named(tmp_path, text, message):
    path = tmp_path / "predictions.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=message):
        read_classes(path, {"n00": 0, "n01": 1})


def test_an_image_without_classes_is_named_before_any_map_is_read(tmp_path):
    saved(tmp_path)
    (tmp_path / "predictions.csv").write_text("image_id,top1\nb,1\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"no row for 2 of 3 images, e\.g\. x/a\.jpg"):
        MapFolder(tmp_path, ANNOTATIONS)
    with pytest.raises(UserError, match="no such file"):
        MapFolder(tmp_path, ANNOTATIONS, predictions=tmp_path / "absent.csv")
