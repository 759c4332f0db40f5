from __future__ import annotations

import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from wsol.cli.main import main
from wsol.recipe import Recipe
from wsol.report import Tile, save_gallery, write_report
from wsol.scores.per_image import PerImage
from wsol.scores.records import RunRecord

COUNT = 40
VOID = {"meta", "img"}


class Nesting(HTMLParser):
    """Checks that every element is closed in turn, and keeps tags with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def add_run(results: Path, name: str, quality: int, maps: str = "cam", attention: str | None = "none"):
    """A run whose boxes have IoU ``quality`` percent at every cut, with arrays and two overlays."""
    n = np.arange(COUNT)
    per_image = PerImage(
        image_ids=np.array([f"image/{i}" for i in n]),
        labels=np.zeros(COUNT, np.int32),
        sizes=np.full((COUNT, 2), 64, np.int32),
        protocol=("choe2020", 1, 0.001),
        top1=np.ones(COUNT, np.int8),
        top5=np.ones(COUNT, np.int8),
        has_box=np.ones(COUNT, bool),
        top=np.full(COUNT, 255, np.uint8),
        single=np.full((COUNT, 256), quality * 500, np.uint16),
        all=np.full((COUNT, 256), quality, np.uint8),
    )
    content = per_image.to_bytes()
    recipe = Recipe.from_dict({"attention": {"name": attention or "none"}})
    right = 100.0 * (quality >= 50)
    record = RunRecord(
        recipe={"what": recipe.what() if attention else {"source": maps}, "how": recipe.how_part()},
        dataset={"name": "signs", "title": "Signs & <wonders>", "manifest_hash": "1", "split": "test"},
        protocol={"name": "choe2020", "version": 1, "step": 0.001},
        maps=maps,
        threshold={"policy": "oracle", "chosen_on": "test", "values": {"max_box_acc@0.5": 0.25}},
        metrics={"max_box_acc@0.5": {"value": right, "low": None, "high": None}},
        n_images=COUNT,
        n_expected=COUNT,
        arrays={"file": f"{name}.npz", "sha256": hashlib.sha256(content).hexdigest()},
    )
    record.write(results / "runs" / f"{name}.json")
    (results / "runs" / f"{name}.npz").write_bytes(content)
    image = np.zeros((32, 32, 3), np.uint8)
    tiles = [Tile(f"image/{i}", image, None, None, np.zeros((0, 4)), quality / 100) for i in range(2)]
    save_gallery(results / "report", record.run_id, tiles)


@pytest.fixture
def results(tmp_path: Path) -> Path:
    folder = tmp_path / "results"
    add_run(folder, "center", 40, "center", None)
    add_run(folder, "cam", 40)
    add_run(folder, "rfga", 60, attention="rfga")
    return folder


def test_the_page_is_whole_and_needs_no_other_host(results):
    text = write_report(results).read_text(encoding="utf-8")
    page = Nesting(text)
    assert "http:" not in text and "https:" not in text and "url(" not in text
    assert not {"link", "iframe"} & {tag for tag, _ in page.tags}
    images = [attributes["src"] or "" for tag, attributes in page.tags if tag == "img"]
    # Two images, once plain and once for each of the three rows.
    assert len(images) == 8
    assert all(source.startswith("data:image/jpeg;base64,") for source in images)


def test_text_from_records_is_escaped(results):
    text = write_report(results).read_text(encoding="utf-8")
    assert "Signs &amp; &lt;wonders&gt;" in text
    assert "<wonders>" not in text


def test_it_says_what_the_images_cannot_tell_from_the_centred_box(results):
    text = write_report(results).read_text(encoding="utf-8")
    assert "1 better, 0 worse, 1 not distinguishable with these 40 images" in text
    cells = re.findall(r'<td class="number (alike|up|down)"[^>]*>([^<]*)<', text)
    assert cells == [("up", "+100.0"), ("alike", "+0.0")]


def test_curves_are_drawn_of_every_row_and_iou(results):
    page = Nesting(write_report(results).read_text(encoding="utf-8"))
    lines = [attributes["points"] or "" for tag, attributes in page.tags if tag == "polyline"]
    assert len(lines) == 3 * 3
    heights = [{float(point.split(",")[1]) for point in line.split()} for line in lines]
    # IoU 0.4 is right at .3 alone, 0.6 at .3 and .5: flat lines at 100 or 0 percent.
    assert all(len(found) == 1 for found in heights)
    top, bottom = min(min(h) for h in heights), max(max(h) for h in heights)
    panels = [sorted(found.pop() for found in heights[n : n + 3]) for n in (0, 3, 6)]
    assert panels == [[top, top, top], [top, bottom, bottom], [bottom] * 3]


def test_without_arrays_and_overlays_the_table_remains(results):
    for path in results.rglob("*.npz"):
        path.unlink()
    for path in results.rglob("index.json"):
        path.unlink()
    text = write_report(results).read_text(encoding="utf-8")
    Nesting(text)
    assert "No curves" in text and "<img" not in text and "rfga" in text


def test_published_numbers_stand_apart(results):
    before = write_report(results).read_text(encoding="utf-8")
    assert "Published" not in before
    (results / "published.csv").write_text("system,value,source\nTS-<CAM>,71.3,their README\n")
    text = write_report(results).read_text(encoding="utf-8")
    Nesting(text)
    assert text.index('id="published"') > text.index("Cost and provenance")
    assert "TS-&lt;CAM&gt;" in text[text.index('id="published"') :]


def test_the_command_writes_the_same_page_again(results, tmp_path, capsys):
    output = tmp_path / "elsewhere" / "page.html"
    assert main(["report", "--results", str(results), "--output", str(output)]) == 0
    assert capsys.readouterr().out.strip() == str(output)
    first = output.read_bytes()
    assert main(["report", "--results", str(results)]) == 0
    assert (results / "report.html").read_bytes() == first


def test_no_records_is_one_line(tmp_path, capsys):
    assert main(["report", "--results", str(tmp_path)]) == 2
    assert "no run records" in capsys.readouterr().err
