"""``wsol evaluate --images``: a folder of photographs and a file of boxes, nothing prepared before."""

import csv
import shutil

import pytest

from wsol.benchmark import train
from wsol.cli.main import main
from wsol.data.manifest import Manifest
from wsol.records import RunRecord


@pytest.fixture
def photographs(tmp_path, tiny_manifest):
    """Five images of the tiny test set and their true boxes, written as ``corners`` says."""

    def write(corners: str):
        split = Manifest.read(tiny_manifest).split("test")
        annotations = split.annotations()
        folder = tmp_path / corners
        folder.mkdir()
        rows = [["image_id", "x0", "y0", "x1", "y1", "label"]]
        for image_id, path, label in list(zip(split.image_ids, split.paths, split.labels, strict=True))[
            :5
        ]:
            name = image_id.replace("/", "-") + ".png"
            shutil.copy(path, folder / name)
            x0, y0, x1, y1 = annotations[image_id].boxes[0].astype(int).tolist()
            shift = (1, 1, 0, 0) if corners == "voc" else (0, 0, 0, 0)
            box = [value + by for value, by in zip((x0, y0, x1, y1), shift, strict=True)]
            rows.append([name, *box, split.class_keys[label]])
        table = tmp_path / f"{corners}.csv"
        with table.open("w", newline="") as file:
            csv.writer(file).writerows(rows)
        return folder, table

    return write


def test_boxes_of_either_writing_score_the_same(tiny_recipe, photographs, tmp_path, capsys):
    run = train(tiny_recipe)
    found = {}
    for corners in ("half-open", "voc"):
        folder, table = photographs(corners)
        out = tmp_path / f"out-{corners}"
        command = ["evaluate", "--images", folder, "--annotations", table, "--run", run, "--output", out]
        options = ["--maps", "cam", "--device", "cpu", "--workers", "0", "--corners", corners]
        assert main([str(argument) for argument in command + options]) == 0
        found[corners] = RunRecord.read(out / "metrics.json")
        assert len((out / "per_image.csv").read_text().splitlines()) == 6
        assert len(list((out / "overlays").glob("*.png"))) == 5
    assert found["voc"].metrics == found["half-open"].metrics
    assert found["voc"].n_images == 5
    assert "gt_known_loc@0.5" in capsys.readouterr().out
