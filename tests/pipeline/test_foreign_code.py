"""Code that a run folder names is never imported unless the caller trusts it: a marker file tells."""

import json
import shutil
import sys

import pytest
import yaml

import wsol
from wsol.board import read_records
from wsol.cli.main import main
from wsol.errors import UserError
from wsol.pipeline.foreign_code import CALLED, foreign_names
from wsol.pipeline.outputs.publish import Outputs
from wsol.recipe import Recipe
from wsol.scores.records import digest
from wsol.training.run_folder import training_id

MODULE = """
from pathlib import Path
Path({marker!r}).touch()
import torch
from wsol.maps.cam import ClassMap
from wsol.methods.cam import CAM
from wsol.scores.protocol import Protocol

class Gate(torch.nn.Module):
    insertion, at = "stage", "-1"
    def __init__(self, channels):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(()))
    def forward(self, x):
        return x * self.scale

class Method(CAM): pass
class Source(ClassMap): pass
COARSE = Protocol("coarse", step=0.25)
"""
# By key of the recipe: what a run folder may name.
NAMES = {
    "attention.name": "their_code:Gate",
    "method.name": "their_code:Method",
    "evaluation.maps": "their_code:Source",
    "evaluation.maps@predicted": "their_code:Source@predicted",
    "evaluation.protocol": "their_code:COARSE",
}


@pytest.fixture(scope="module")
def trained(clutter_cam, tiny_manifest, tmp_path_factory):
    """A run that names nothing from outside."""
    place = tmp_path_factory.mktemp("trained")
    recipe = clutter_cam.changed(
        data={"manifest": tiny_manifest.as_posix(), "input_size": 32, "resize_size": 32},
        training={"epochs": 1, "batch_size": 8, "precision": "32-true"},
        evaluation={"batch_size": 8, "maps": ["cam"]},
        how={"device": "cpu", "workers": 0, "runs": f"{place}/runs", "results": f"{place}/board"},
    )
    return recipe, wsol.train(recipe)


@pytest.fixture
def marker(tmp_path, monkeypatch):
    """The file that is there once the module has been imported; commands run where the module lies."""
    marker = tmp_path / "imported"
    (tmp_path / "their_code.py").write_text(MODULE.format(marker=str(marker)))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "their_code", raising=False)
    yield marker
    sys.modules.pop("their_code", None)


def their_run(trained, tmp_path, key, name):
    """A copy of the run whose recipe names code, as a stranger may send it."""
    run = tmp_path / "run"
    shutil.copytree(trained[1], run)
    recipe = yaml.safe_load((run / "recipe.yaml").read_text())
    part, field = key.removesuffix("@predicted").split(".")
    recipe[part][field] = [name] if field == "maps" else name
    (run / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    facts = json.loads((run / "run.json").read_text())
    facts["training_id"] = training_id(Recipe.from_yaml(run / "recipe.yaml"), facts["manifest_hash"])
    facts["digest"] = digest({name: value for name, value in facts.items() if name != "digest"})
    (run / "run.json").write_text(json.dumps(facts))
    return run


def images_of(trained, tmp_path):
    """Two images and their boxes."""
    split = wsol.Manifest.read(trained[0].data.manifest).split("test")
    (tmp_path / "images").mkdir()
    rows = ["image_id,x0,y0,x1,y1"]
    for path in split.paths[:2]:
        name = path.rpartition("/")[2]
        shutil.copy(path, tmp_path / "images" / name)
        rows.append(f"{name},2,2,9,9")
    (tmp_path / "boxes.csv").write_text("\n".join(rows) + "\n")
    return str(tmp_path / "images"), str(tmp_path / "boxes.csv")


def commands(run, images, boxes):
    """Every command that opens a run folder."""
    scored = ["evaluate", "--run", run, "--device", "cpu", "--workers", "0"]
    return [
        ["localize", images, "--run", run, "--device", "cpu", "--output", "found", "--threshold", "0.3"],
        [*scored, "--output", "scored"],
        [*scored, "--images", images, "--annotations", boxes, "--output", "mine"],
    ]


@pytest.mark.parametrize("key", NAMES)
def test_no_command_imports_what_a_run_folder_names(key, trained, marker, tmp_path, capsys):
    run = str(their_run(trained, tmp_path, key, NAMES[key]))
    for command in commands(run, *images_of(trained, tmp_path)):
        assert main(command) == 2
        error = capsys.readouterr().err
        said = f"{CALLED[key.removesuffix('@predicted')]} {NAMES[key]}"
        assert error.startswith(f"wsol: error: {run}: ") and error.count("\n") == 1
        assert said in error and "--trust" in error
    assert not marker.exists() and "their_code" not in sys.modules
    assert not any((tmp_path / name).exists() for name in ("found", "scored", "mine"))


@pytest.mark.parametrize("key", NAMES)
def test_no_verb_imports_it(key, trained, marker, tmp_path):
    run = their_run(trained, tmp_path, key, NAMES[key])
    images, boxes = images_of(trained, tmp_path)
    for verb in (
        lambda: wsol.load(run, device="cpu"),
        lambda: wsol.evaluate(run),
        lambda: wsol.localize(images, run, tmp_path / "found"),
        lambda: wsol.evaluate_images(images, boxes, run),
    ):
        with pytest.raises(UserError, match=r"names code from outside wsol .*trust=True"):
            verb()
    assert not marker.exists()


# The weights of a run with another attention or method do not fit: only opening is tried there.
@pytest.mark.parametrize("key", ["evaluation.maps", "evaluation.maps@predicted", "evaluation.protocol"])
def test_with_trust_it_is_run(key, trained, marker, tmp_path):
    run = str(their_run(trained, tmp_path, key, NAMES[key]))
    for command in commands(run, *images_of(trained, tmp_path)):
        assert main([*command, "--trust"]) == 0
    assert marker.exists()


def test_trust_in_python(trained, marker, tmp_path):
    run = their_run(trained, tmp_path, "method.name", NAMES["method.name"])
    model = wsol.load(run, device="cpu", trust=True)
    assert not marker.exists()  # opened, nothing read yet
    assert type(model.localizer).__name__ == "Localizer" and marker.exists()


def test_a_name_that_was_typed_is_trusted(trained, marker, tmp_path, capsys):
    own = ["evaluate", "--run", str(trained[1]), "--device", "cpu", "--workers", "0"]
    typed = ["--maps", "their_code:Source", "--output", str(tmp_path / "scored")]
    assert main([*own, *typed]) == 0 and marker.exists()
    run = their_run(trained, tmp_path, "evaluation.maps", "their_code:Source")
    assert main([*own[:2], str(run), *own[3:], *typed]) == 0
    # Another name of the same module is another name.
    assert main([*own[:2], str(run), *own[3:], "--maps", "their_code:Gate"]) == 2
    assert "(maps their_code:Source)" in capsys.readouterr().err


def test_a_recipe_that_was_given_is_trusted(trained, marker, tmp_path, capsys):
    recipe = trained[0].changed(
        attention={"name": "their_code:Gate"},
        method={"name": "their_code:Method"},
        evaluation={"maps": ["cam", "their_code:Source"], "protocol": "their_code:COARSE"},
        how={"runs": str(tmp_path / "runs"), "results": str(tmp_path / "results")},
    )
    path = recipe.write(tmp_path / "mine.yaml")
    assert main(["benchmark", "--config", str(path), "--overlays", "1"]) == 0
    assert marker.exists()
    (run,) = (tmp_path / "runs").iterdir()
    assert main(["evaluate", "--config", str(path), "--output", str(tmp_path / "again")]) == 0
    assert main(["evaluate", "--config", str(run / "recipe.yaml")]) == 0
    assert main(["train", "--config", str(run / "recipe.yaml")]) == 0
    capsys.readouterr()
    assert main(["evaluate", "--run", str(run), "--device", "cpu"]) == 2
    assert "attention their_code:Gate, method their_code:Method" in capsys.readouterr().err
    assert main(["evaluate", "--run", str(run), "--device", "cpu", "--workers", "0", "--trust"]) == 0
    # The board and its page read the records of these rows, and import nothing that they name.
    assert any(one.protocol["name"] == "coarse" for one in read_records(tmp_path / "results" / "runs"))
    marker.unlink()
    del sys.modules["their_code"]
    (tmp_path / "results" / "leaderboard.csv").unlink()
    for command in ("leaderboard", "report"):
        assert main([command, "--results", str(tmp_path / "results")]) == 0
    assert (tmp_path / "results" / "leaderboard.csv").is_file()
    assert not marker.exists() and "their_code" not in sys.modules


def test_what_an_older_scoring_named_does_not_stop_the_next(trained, marker, tmp_path):
    """The recipe in the folder may name other maps than the one that is given now for the same run."""
    run = their_run(trained, tmp_path, "evaluation.maps", "their_code:Source")
    named = tmp_path / "runs" / trained[1].name
    named.parent.mkdir()
    run.rename(named)
    recipe = trained[0].changed(how={"runs": str(tmp_path / "runs")})
    path = recipe.write(tmp_path / "mine.yaml")
    assert main(["evaluate", "--config", str(path), "--output", str(tmp_path / "out")]) == 0
    assert json.loads((tmp_path / "out" / "metrics.json").read_text())["maps"] == "cam"
    assert not marker.exists()


def test_what_has_a_colon_and_is_no_code():
    recipe = Recipe().changed(
        backbone={"name": "timm:resnet18"},
        weights={"name": "timm:resnet18"},
        evaluation={
            "maps": ["torchcam:GradCAM", "attention:stage4", "cam@t=1", "cam@predicted", "torchcam=x:y"],
            "thresholds": "fixed:0.2",
        },
    )
    assert foreign_names(recipe) == []
    code = ["a:B=1", "c:D@predicted@predicted"]
    found = foreign_names(Recipe().changed(evaluation={"maps": code}))
    assert found == [("evaluation.maps", name) for name in code]


def test_a_model_in_hand_is_the_callers(trained, marker, tmp_path):
    model = wsol.load(trained[1], device="cpu")
    settings = wsol.EvaluationSettings(maps=["their_code:Source"], batch_size=8)
    wsol.evaluate(model, settings, outputs=Outputs(output=tmp_path / "out"))
    assert marker.exists()
