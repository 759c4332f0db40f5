"""A model's classes by name: of a run its manifest's, and ``--classes`` as a table or a mapping."""

import csv
import dataclasses
import shutil

import pytest

from wsol.cli.main import main
from wsol.data.manifest.manifest import Manifest
from wsol.errors import UserError
from wsol.pipeline.model import Model
from wsol.pipeline.model_classes import classes_of, with_classes
from wsol.pipeline.train import train
from wsol.scores.records import RunRecord


def renamed(folder, names):
    """The manifest in ``folder`` with other class keys and names, in memory."""
    manifest = Manifest.read(folder)
    keys, words = zip(*names, strict=True)
    tables = dataclasses.replace(manifest.tables, class_keys=list(keys), class_names=list(words))
    return dataclasses.replace(manifest, tables=tables)


def test_a_manifest_is_matched_by_name_only_where_its_keys_are_not_the_models(
    tiny_recipe, tiny_manifest, tmp_path, capsys
):
    model = Model.open(train(tiny_recipe))
    settings = model.recipe.evaluation
    own = Manifest.read(tiny_manifest)
    assert with_classes(model, own, settings) is settings
    keys = model.class_keys
    other = renamed(tiny_manifest, [(f"my {key}", key) for key in keys])
    matched = with_classes(model, other, settings)
    assert matched.classes == {f"my {key}": (key,) for key in keys}
    assert f"{len(keys)} classes matched by name" in capsys.readouterr().err
    with pytest.raises(UserError, match="none of the model's"):
        with_classes(model, other, dataclasses.replace(settings, classes={f"my {keys[0]}": ["no such"]}))


def test_names_of_a_run_come_from_its_manifest(tiny_recipe, tiny_manifest, tmp_path):
    run = train(tiny_recipe)
    folder = tmp_path / "named"
    shutil.copytree(tiny_manifest, folder)
    rows = list(csv.reader((folder / "classes.csv").open(newline="")))
    rows[1][1] = "nought, zero"
    with (folder / "classes.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    model = Model.open(run, recipe=tiny_recipe.changed(data={"manifest": folder.as_posix()}))
    assert classes_of(model).find("Nought") == [model.class_keys[0]]
    elsewhere = Model.open(
        run, recipe=tiny_recipe.changed(data={"manifest": (tmp_path / "no").as_posix()})
    )
    assert classes_of(elsewhere).find("Nought") == []


def test_classes_by_table_by_mapping_and_by_key_are_equal(tiny_recipe, tiny_manifest, tmp_path, capsys):
    run = train(tiny_recipe)
    split = Manifest.read(tiny_manifest).split("test")
    annotations = split.annotations()
    (tmp_path / "images").mkdir()
    tables = {"key": [], "mine": []}
    for number, image_id in enumerate(split.image_ids[:6]):
        shutil.copy(split.paths[number], tmp_path / f"images/{number}.png")
        key = split.class_keys[split.labels[number]]
        for kind, rows in tables.items():
            label = key if kind == "key" else f"digit {key}"
            rows.append([f"{number}.png", *annotations[image_id].boxes[0].tolist(), label])
    for kind, rows in tables.items():
        with (tmp_path / f"{kind}.csv").open("w", newline="") as file:
            csv.writer(file).writerows([["image", "x0", "y0", "x1", "y1", "label"], *rows])
    pairs = {f"digit {key}": key for key in {row[-1] for row in tables["key"]}}
    (tmp_path / "map.csv").write_text("".join(f"{mine},{key}\n" for mine, key in pairs.items()))
    mapping = "{" + ", ".join(f"{mine}: ['{key}']" for mine, key in pairs.items()) + "}"
    found = []
    for kind, given in (("key", None), ("mine", tmp_path / "map.csv"), ("mine", mapping)):
        out = tmp_path / f"out{len(found)}"
        command = [
            "evaluate",
            "--images",
            tmp_path / "images",
            "--annotations",
            tmp_path / f"{kind}.csv",
        ]
        command += ["--run", run, "--maps", "cam", "--device", "cpu", "--workers", "0", "--output", out]
        command += ["--classes", given] * (given is not None)
        assert main([str(argument) for argument in command]) == 0
        found.append(RunRecord.read(out / "metrics.json").metrics)
    assert found[0] == found[1] == found[2] and found[0]["top1_acc"]["value"] is not None
    capsys.readouterr()
    command[-1] = str(tmp_path / "gone.csv")
    assert main([str(argument) for argument in command]) == 2
    assert "--classes" in (said := capsys.readouterr().err) and "give a CSV table" in said
    command[-1] = "{digit 0: [no such]}"
    assert main([str(argument) for argument in command]) == 2
    said = capsys.readouterr().err
    assert "--classes: " in said and "evaluation.classes" not in said
