"""A few dozen of the benchmark's damaged files, the same every time: read or refused, no traceback."""

from __future__ import annotations

import importlib.util
import random
import sys
from pathlib import Path

import pytest

PATH = Path(__file__).parents[3] / "benchmarks/annotation_fuzz.py"
READERS = (
    "coco",
    "results",
    "csv",
    "voc",
    "cvat",
    "labelme",
    "labelme outlines",
    "yolo",
    "yolo outlines",
)


@pytest.fixture(scope="module")
def benchmark():
    spec = importlib.util.spec_from_file_location("annotation_fuzz", PATH)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_every_format_is_there(benchmark):
    assert sorted(benchmark.SOUND) == sorted(READERS)


@pytest.mark.parametrize("reader", READERS)
def test_damaged_files_are_read_or_refused(benchmark, tmp_path, reader):
    counts, _ = benchmark.fuzz(reader, 40, 0, tmp_path)
    assert set(counts) <= {"read", "refused"} and sum(counts.values()) == 40


@pytest.mark.parametrize("reader", READERS)
def test_the_sound_file_is_read(benchmark, tmp_path, reader):
    benchmark.fuzz(reader, 1, 0, tmp_path)  # makes the images
    name, text = benchmark.SOUND[reader]
    (tmp_path / name).write_text(text)
    assert benchmark.outcome(tmp_path / name, tmp_path / "images", tmp_path / "m") == "read"


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("kind", ["deep", "with_entities"])
def test_the_rare_kinds_of_damage_too(benchmark, tmp_path, reader, kind):
    benchmark.fuzz(reader, 1, 0, tmp_path)
    name, text = benchmark.SOUND[reader]
    for seed in range(3):
        content = getattr(benchmark, kind)(text.encode(), random.Random(seed))
        (tmp_path / name).write_bytes(content)
        assert benchmark.outcome(tmp_path / name, tmp_path / "images", None) in ("read", "refused")
