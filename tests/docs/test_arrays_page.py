"""The page about a record's arrays: its reader reads them, in plain NumPy, and its example is right."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from wsol.scores.per_image import PerImage

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "arrays.md").read_text("utf-8")
READER, EXAMPLE = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
FILES = [
    next(iter(sorted((ROOT / "results" / "runs").rglob(f"{name}-*.npz"))))
    for name in ("center", "intensity", "gaussian", "small_resnet-rfga", "mobilenetv2_035-ltpa")
]


@pytest.fixture
def page():
    names: dict = {}
    exec(READER, names)
    return names


def test_the_reader_is_ten_lines_of_numpy():
    code = [line for line in READER.splitlines() if line and not line.startswith(("import", "TYPES"))]
    assert len(code) <= 10 and re.findall(r"^import (\w+)", READER, re.MULTILINE) == ["numpy"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parent.name)
def test_the_reader_reads_what_we_read(page, path):
    found, ours = page["read"](path), PerImage.load(path)
    for name in set(found) - {"protocol", "counts"}:
        expected = getattr(ours, name)
        assert found[name].dtype == expected.dtype
        np.testing.assert_array_equal(found[name], expected)
    assert str(found["protocol"][0]) == ours.protocol[0]


def test_every_array_of_a_file_is_on_the_page(page):
    described = {
        name
        for row in re.findall(r"^\| (`.*?) \|", PAGE, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", row)
    }
    assert {name for path in FILES for name in page["read"](path)} == described


def test_the_example_prints_the_records_figure(page, capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    exec(EXAMPLE, page)
    value, threshold = map(float, capsys.readouterr().out.split())
    path = re.search(r'"(results/.*)\.npz"', EXAMPLE)
    assert path is not None
    record = json.loads(Path(f"{path[1]}.json").read_text())
    assert value == pytest.approx(record["metrics"]["max_box_acc@0.5"]["value"]) == 13.0
    assert threshold == pytest.approx(record["threshold"]["values"]["gt_known_loc@0.5"])
