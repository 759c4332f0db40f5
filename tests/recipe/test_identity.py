"""What was run keeps its identity: of every committed record, every committed recipe, every old run.

The golden file was made before recipes were frozen. New records and recipes are added to it by
``python tests/recipe/add_identities.py``, which changes nothing that stands.
"""

import json
from pathlib import Path

import pytest
import yaml

from wsol.recipe import Recipe
from wsol.scores.records import RunRecord, content_id, digest

TOP = Path(__file__).parents[2]
GOLDEN = json.loads((TOP / "tests" / "golden" / "identities.json").read_text())
MEND = (
    "the identity of what was run has changed. A new field of a recipe that changes the numbers must "
    "be `later(...)`, so that it is absent from `what` at its default; any other is `not_hashed(...)`"
)
ADD = "not in tests/golden/identities.json: run python tests/recipe/add_identities.py"


@pytest.mark.parametrize("name", sorted(GOLDEN["configs"]))
def test_a_committed_recipe_is_what_it_was(name):
    found = digest(Recipe.from_yaml(TOP / "configs" / name).what())
    assert found == GOLDEN["configs"][name], f"configs/{name}: {MEND}"


def test_every_committed_recipe_is_in_the_list():
    configs = {path.relative_to(TOP / "configs").as_posix() for path in TOP.glob("configs/**/*.yaml")}
    assert configs == set(GOLDEN["configs"]), ADD


def test_every_committed_record_keeps_its_run_id():
    runs = TOP / "results" / "runs"
    found = {}
    for path in sorted(runs.rglob("*.json")):
        raw = json.loads(path.read_text(encoding="utf-8"))
        policy = raw["threshold"]["policy"]
        name = path.relative_to(runs).as_posix()
        found[name] = content_id(
            raw["recipe"]["what"], raw["dataset"], raw["protocol"], raw["maps"], policy
        )
        assert found[name] == raw["run_id"] == RunRecord.read(path).run_id, f"{path}: {MEND}"
    lost = sorted(set(GOLDEN["records"]) - set(found))
    assert not lost, f"results/runs is append-only, but lacks {lost[:3]}"
    assert found == GOLDEN["records"], ADD


def test_a_recipe_made_of_a_records_what_is_that_what():
    """The same settings, run today, make the same row: nothing came to `what`, nothing left it."""
    compared = 0
    for name in GOLDEN["records"]:
        raw = json.loads((TOP / "results" / "runs" / name).read_text(encoding="utf-8"))
        # On which images it was trained stands there too, and is no key of a recipe.
        what = {key: value for key, value in raw["recipe"]["what"].items() if key != "trained_on"}
        if "backbone" not in what:  # a baseline has no recipe of its own
            continue
        assert digest(Recipe.from_dict(what, name).what()) == digest(what), f"{name}: {MEND}"
        compared += 1
    assert compared >= 141


# A run folder's recipe.yaml, as it was written before recipes were frozen.
OLD_RUN = """\
data:
  name: cub
  manifest: manifests/cub
  input_size: 224
  resize_size: 256
  flip: true
  reduced_decode: false
backbone:
  name: resnet50
  strides:
    stage5: 1
  options:
    widths:
    - 1
    - 2
weights:
  name: timm
  file: ''
  sha256: ''
  format: native
  mean:
  - 0.485
  - 0.456
  - 0.406
  std:
  - 0.229
  - 0.224
  - 0.225
attention:
  name: tdam
  at:
  - stage4
  - stage5
  options:
    steps: 2
    gating: top
head:
  name: cam
  width: 1024
method:
  name: cam
  options: {}
training:
  epochs: 50
  batch_size: 32
  optimizer: sgd
  lr: 0.001
  attention_lr: 0.01
  head_lr: 0.01
  momentum: 0.9
  nesterov: true
  weight_decay: 1.0e-05
  schedule: step
  milestones:
  - 15
  - 30
  gamma: 0.1
  warmup_epochs: 0
  label_smoothing: 0.0
  precision: 32-true
  channels_last: false
  selection: last
  images_per_class: 0
  head_from: stage5
  folds: 0
evaluation:
  split: test
  maps:
  - cam
  - attention
  protocol: choe2020
  thresholds: ''
  step: 0.001
  batch_size: 32
  classes:
    Horse:
    - n02389026
  masks: true
how:
  device: auto
  workers: 2
  runs: runs
  results: results
seed: 3
pretraining: ImageNet-1k classification
extra_supervision: ''
tuning_trials: 0
"""


def test_the_recipe_of_an_old_run_folder_reads_and_is_what_it_was(tmp_path):
    (tmp_path / "recipe.yaml").write_text(OLD_RUN)
    recipe = Recipe.from_yaml(tmp_path / "recipe.yaml")
    raw = yaml.safe_load(OLD_RUN)
    expected = {key: dict(raw[key]) for key in ("data", "backbone", "weights", "attention", "head")}
    expected |= {"method": raw["method"], "training": dict(raw["training"]), "seed": 3}
    del expected["data"]["manifest"], expected["data"]["reduced_decode"], expected["weights"]["file"]
    del expected["training"]["folds"]
    expected["evaluation"] = {"batch_size": 32, "classes": {"Horse": ["n02389026"]}}
    assert recipe.what() == expected, MEND
    assert digest(recipe.what()) == "296a698d4a1103dc73daf955f7c435ec120b2101e4e134c3d0c7e194416c455e"
    # Written again it is the same file, lists and all, with what recipes have come to say since.
    since = OLD_RUN.replace("  - 0.225\n", "  - 0.225\n  tag: ''\n  key: ''\n")
    since = since.replace("  masks: true\n", "  masks: true\n  faithfulness: false\n")
    since = since.replace("  width: 1024\n", "  width: 1024\n  dropout: 0.5\n")
    since = since.replace("  device: auto\n", "  device: auto\n  threads: 1\n")
    since = since.replace(
        "  folds: 0\n", "  folds: 0\n  boxed_images: 0\n  freeze: ''\n  cache_features: false\n"
    )
    assert recipe.to_yaml() == since + "name: ''\n"
