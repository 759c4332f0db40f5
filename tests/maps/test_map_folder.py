"""Folders of score maps: every spelling that is read, and every one that is refused."""

from __future__ import annotations

import zipfile

import numpy as np
import pytest

from wsol.errors import UserError
from wsol.evaluation.evaluator import evaluate
from wsol.maps.map_folder import MapFolder, read_map
from wsol.scores.protocol import protocol_named
from wsol.scores.samples import Annotation

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


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("suffix", ["npy", "npz"])
def test_any_damage_to_a_map_is_one_error(tmp_path, suffix):
    path = tmp_path / f"map.{suffix}"
    score_map = np.random.default_rng(0).random((6, 8))
    np.savez_compressed(path, score_map) if suffix == "npz" else np.save(path, score_map)
    whole, draw = path.read_bytes(), np.random.default_rng(1)
    for _ in range(300):
        content = bytearray(whole)
        for place in draw.integers(0, len(content), 3):
            content[place] = draw.integers(256)
        path.write_bytes(content[: draw.integers(1, len(content) + 1)])
        try:
            assert isinstance(read_map(path), np.ndarray)
        except UserError as error:
            assert str(path) in str(error)


def test_a_header_that_claims_more_than_there_is_memory(tmp_path):
    path = tmp_path / "huge.npy"
    np.save(path, np.zeros((2, 4)))
    shape, claimed = b"(2, 4), }" + b" " * 12, b"(4000000, 2000000), }"
    assert path.read_bytes().count(shape) == 1  # 58 TiB of float64
    path.write_bytes(path.read_bytes().replace(shape, claimed))
    with pytest.raises(UserError, match=r"huge\.npy: not a score map"):
        read_map(path)


def test_a_file_in_an_archive_that_is_no_array_is_named(tmp_path):
    with zipfile.ZipFile(tmp_path / "notes.npz", "w") as file:
        file.writestr("readme.txt", "maps of tuesday")
    with pytest.raises(UserError, match=r"notes\.npz: does not hold one array"):
        read_map(tmp_path / "notes.npz")


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
    result = evaluate(
        MapFolder(tmp_path, ANNOTATIONS[1:]), ANNOTATIONS[1:], protocol_named("choe2020", 0.1)
    )
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


@pytest.mark.parametrize(
    "rows",
    [
        'b,n02,n00\r\n"x/a.jpg", n00, n01\r\nü c,n01,\r\nother,n00,n02',
        'b,2,0\r\n"x/a.jpg", 0, 1\r\nü c,1,\r\nother,0,2',
    ],
)
def test_classes_by_label_or_key(tmp_path, rows):
    saved(tmp_path)
    table = f"\ufeffimage_id, top1, top2\r\n{rows}\r\n"
    (tmp_path / "predictions.csv").write_text(table, encoding="utf-8")
    folder = MapFolder(tmp_path, ANNOTATIONS, {"n00": 0, "n01": 1, "n02": 2})
    assert [prediction.top5 for prediction in folder] == [(0, 1), (2, 0), (1,)]
    result = evaluate(folder, ANNOTATIONS, protocol_named("choe2020", 0.1), intervals=False)
    assert result["top1_acc"] == pytest.approx(100 / 3)


def test_an_image_without_classes_is_named_before_any_map_is_read(tmp_path):
    saved(tmp_path)
    (tmp_path / "predictions.csv").write_text("image_id,top1\nb,1\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"no row for 2 of 3 images, e\.g\. x/a\.jpg"):
        MapFolder(tmp_path, ANNOTATIONS)
    with pytest.raises(UserError, match="no such file"):
        MapFolder(tmp_path, ANNOTATIONS, predictions=tmp_path / "absent.csv")
