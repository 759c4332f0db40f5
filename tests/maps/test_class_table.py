"""The table of classes: labels or keys, one or the other in the whole table."""

from __future__ import annotations

from pathlib import Path

import pytest

from wsol.errors import UserError
from wsol.maps.class_table import read_classes

FOLDERS = {"1": 0, "10": 1, "2": 2}  # class folders 1, 2 and 10, sorted by name


def written(folder: Path, *rows: str, header: str = "image_id,top1") -> Path:
    path = folder / "predictions.csv"
    path.write_text("\n".join([header, *rows]), encoding="utf-8")
    return path


def test_numeric_keys_and_labels_are_told_apart_by_the_whole_table(tmp_path):
    labels = written(tmp_path, "a,0", "b,1", "c,2")
    assert read_classes(labels, FOLDERS) == {"a": (0,), "b": (1,), "c": (2,)}
    keys = written(tmp_path, "a,1", "b,10", "c,2")
    assert read_classes(keys, FOLDERS) == {"a": (0,), "b": (1,), "c": (2,)}


def test_a_table_that_may_be_either_must_say_which(tmp_path):
    either = written(tmp_path, "a,2", "b,1")
    with pytest.raises(UserError, match=r"1 is the key of label 0; call the columns label1, .* or key1"):
        read_classes(either, FOLDERS)
    keys = written(tmp_path, "a,2", "b,1", header="image_id,key1")
    assert read_classes(keys, FOLDERS) == {"a": (2,), "b": (0,)}
    labels = written(tmp_path, "a,2,1", "b,1,2", header="image_id,label1,label2")
    assert read_classes(labels, FOLDERS) == {"a": (2, 1), "b": (1, 2)}


def test_a_table_that_says_the_same_either_way_is_read(tmp_path):
    same = written(tmp_path, "a,2", "b,2")
    assert read_classes(same, FOLDERS) == {"a": (2,), "b": (2,)}


def test_columns_that_say_which_are_held_to_it(tmp_path):
    with pytest.raises(UserError, match=r"line 2: unknown class '0'$"):
        read_classes(written(tmp_path, "a,0", header="image_id,key1"), FOLDERS)
    with pytest.raises(UserError, match=r"line 2: unknown class '10'$"):
        read_classes(written(tmp_path, "a,10", header="image_id,label1"), FOLDERS)


def test_one_table_does_not_mix_labels_and_keys(tmp_path):
    mixed = written(tmp_path, "a,n00", "b,n01", "c,1")
    with pytest.raises(UserError, match=r"line 4: unknown class '1'$"):
        read_classes(mixed, {"n00": 0, "n01": 1})


def test_without_classes_cells_are_labels(tmp_path):
    assert read_classes(written(tmp_path, "a,3", "b,007")) == {"a": (3,), "b": (7,)}


@pytest.mark.parametrize(
    "text, message",
    [
        ("image_id,top1\na,7\n", "line 2: unknown class '7'"),
        (f"image_id,top1\na,{'9' * 5000}\n", f"line 2: unknown class '{'9' * 40}'"),
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
