"""One checker for files, the command line and Python: one rule, the same words."""

import dataclasses

import pytest
import yaml

from wsol.cli.recipe_arguments import parse_recipe
from wsol.errors import UserError
from wsol.recipe import (
    PARTS,
    AttentionSettings,
    EvaluationSettings,
    How,
    MethodSettings,
    Recipe,
    TrainingSettings,
    WeightsSettings,
)

# The key, the value as YAML and the command line spell it, and what is said after the source's name.
WRONG = [
    ("training.epochs", "true", "training.epochs must be a whole number, not True"),
    ("training.epochs", '"3"', "training.epochs must be a whole number, not '3'"),
    ("training.epochs", "many", "training.epochs must be a whole number, not 'many'"),
    ("training.epochs", "2.5", "training.epochs must be a whole number, not 2.5"),
    ("training.epochs", "null", "training.epochs must be a whole number, not None"),
    ("training.epochs", "[3]", "training.epochs must be a whole number, not [3]"),
    ("training.batch_size", "0", "training.batch_size is 0: must be from 1 to 65536"),
    ("training.folds", "-1", "training.folds is -1: must be 0 or more"),
    ("training.lr", "fast", "training.lr must be a number, not 'fast'"),
    ("training.lr", '"0.1"', "training.lr must be a number, not '0.1'"),
    ("training.lr", "false", "training.lr must be a number, not False"),
    ("training.lr", "-0.5", "training.lr is -0.5: must be 0 or more"),
    ("training.lr", ".nan", "training.lr is nan: must be finite"),
    ("training.gamma", "-.inf", "training.gamma is -inf: must be finite"),
    ("data.input_size", "15", "data.input_size is 15: must be from 16 to 16384"),
    ("data.flip", "1", "data.flip must be true or false, not 1"),
    ("data.flip", "perhaps", "data.flip must be true or false, not 'perhaps'"),
    ("training.milestones", "[true]", "training.milestones[0] must be a whole number, not True"),
    ("training.milestones", '[1, "2"]', "training.milestones[1] must be a whole number, not '2'"),
    ("weights.mean", "[1, 2]", "weights.mean must be a list of 3 numbers, not [1, 2]"),
    ("weights.std", "[1, 2, x]", "weights.std[2] must be a number, not 'x'"),
    ("backbone.strides", "{stage5: one}", "backbone.strides.stage5 must be a whole number, not 'one'"),
    ("backbone.options", "{a: [1, .nan]}", "backbone.options.a[1] is nan: must be finite"),
    ("attention.options", "3", "attention.options must be a mapping, not 3"),
    ("attention.options", "{1: 2}", "attention.options: the key 1 must be text: write '1'"),
    ("how.workers", "-1", "how.workers is -1: must be from 0 to 1024"),
    ("training.batch_size", "65537", "training.batch_size is 65537: must be from 1 to 65536"),
    ("training.momentum", "1.1", "training.momentum is 1.1: must be from 0 to 1"),
    ("training.gamma", "-0.1", "training.gamma is -0.1: must be from 0 to 1"),
    ("training.gamma", "10", "training.gamma is 10.0: must be from 0 to 1"),
    ("training.label_smoothing", "1.01", "training.label_smoothing is 1.01: must be from 0 to 1"),
    ("training.milestones", "[3, 0]", "training.milestones[1] is 0: must be 1 or more"),
    ("weights.std", "[1, 0, 1]", "weights.std[1] is 0.0: must be 1e-06 or more"),
    ("backbone.strides", "{stage5: 0}", "backbone.strides.stage5 is 0: must be 1 or more"),
    ("seed", "-1", "seed is -1: must be from 0 to 4294967295"),
    ("seed", "4294967296", "seed is 4294967296: must be from 0 to 4294967295"),
    ("tuning_trials", "-1", "tuning_trials is -1: must be 0 or more"),
    ("seed", "1.5", "seed must be a whole number, not 1.5"),
    ("tuning_trials", "few", "tuning_trials must be a whole number, not 'few'"),
]  # fmt: skip
# Where text is wanted the command line has nothing else, so these are wrong by YAML and Python alone.
NO_TEXT = [
    ("data.name", "3", "data.name must be text, not 3"),
    ("weights.name", "null", "weights.name must be text, not None"),
    ("attention.at", "[3]", "attention.at[0] must be text, not 3"),
    ("attention.at", "3", "attention.at must be a list of texts, not 3"),
    ("evaluation.maps", "[cam, [a]]", "evaluation.maps[1] must be text, not ['a']"),
    ("evaluation.classes", "{Horse: [1]}", "evaluation.classes.Horse[0] must be text, not 1"),
    ("training.milestones", "3", "training.milestones must be a list of whole numbers, not 3"),
]


def by_yaml(key, text, folder):
    (folder / "r.yaml").write_text(yaml.safe_dump(nested(key, yaml.safe_load(text))))
    return Recipe.from_yaml(folder / "r.yaml")


def by_python(key, text):
    part, _, field = key.rpartition(".")
    return PARTS.get(part, Recipe)(**{field: yaml.safe_load(text)})


def nested(key, value):
    part, _, field = key.rpartition(".")
    return {part: {field: value}} if part else {field: value}


def said(call, *arguments):
    with pytest.raises(UserError) as caught:
        call(*arguments)
    source, _, words = str(caught.value).partition(": ")
    return source, words


@pytest.mark.parametrize(("key", "text", "message"), WRONG, ids=lambda text: text[:30])
def test_a_wrong_value_is_told_in_the_same_words_by_all_three_ways(key, text, message, tmp_path):
    assert said(by_yaml, key, text, tmp_path) == (str(tmp_path / "r.yaml"), message)
    assert said(parse_recipe, [f"--{key}={text}"], "train") == ("command line", message)
    cls = PARTS.get(key.rpartition(".")[0], Recipe)
    assert said(by_python, key, text) == (cls.__name__, message)


@pytest.mark.parametrize(("key", "text", "message"), NO_TEXT)
def test_what_is_no_text_is_told_by_yaml_and_python(key, text, message, tmp_path):
    assert said(by_yaml, key, text, tmp_path)[1] == message
    assert said(by_python, key, text)[1] == message


def test_a_wrong_value_of_python_itself():
    assert said(TrainingSettings, True) == (
        "TrainingSettings",
        "training.epochs must be a whole number, not True",
    )
    # Python has whole numbers and numbers: no other spelling is read.
    assert said(lambda: TrainingSettings(epochs=3.0))[1].endswith("a whole number, not 3.0")
    assert said(lambda: TrainingSettings(lr="1e-3"))[1] == "training.lr must be a number, not '1e-3'"
    assert said(lambda: TrainingSettings(lr=10**400))[1].endswith("must be finite")
    assert said(lambda: AttentionSettings(options={"act": print}))[1].startswith(
        "attention.options.act must be text, a number, true, false, null, a list or a mapping, not"
    )
    assert said(lambda: Recipe(data={"name": "cub"}))[1].startswith("data must be DataSettings, not")
    assert said(lambda: dataclasses.replace(How(), workers="2"))[0] == "How"
    assert said(lambda: Recipe().changed(training={"epoch": 3})) == (
        "Recipe",
        "unknown key 'training.epoch': did you mean 'epochs'?",
    )


def test_what_is_read_of_a_file_and_what_of_the_command_line(tmp_path):
    # YAML 1.1 takes 1e-3 for text; earlier runs may have written 3.0 for a whole number.
    assert yaml.safe_load("1e-3") == "1e-3"
    for text, number in (("1e-3", 0.001), ("1.0e-3", 0.001), ("2E+1", 20.0), ("2", 2.0)):
        for made in (
            by_yaml("training.lr", text, tmp_path),
            parse_recipe([f"--training.lr={text}"], "train")[0],
        ):
            assert made.training.lr == number and type(made.training.lr) is float
    assert by_yaml("training.epochs", "3.0", tmp_path).training.epochs == 3
    assert said(parse_recipe, ["--training.epochs", "3.0"], "train")[1].endswith("number, not 3.0")
    assert by_yaml("attention.options", "{k: 1e-3}", tmp_path).attention.options == {"k": 0.001}


def test_lists_and_tuples_are_one():
    for maps in (["cam", "attention"], ("cam", "attention")):
        assert EvaluationSettings(maps=maps).maps == ("cam", "attention")
    assert EvaluationSettings(maps="cam").maps == ("cam",)  # type: ignore[arg-type]
    assert WeightsSettings(mean=[0, 1, 0.5]).mean == (0.0, 1.0, 0.5)  # type: ignore[arg-type]
    assert MethodSettings(options={"a": [1, {"b": [2]}]}).options == {"a": (1, {"b": (2,)})}
