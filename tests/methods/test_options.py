"""Options of methods and of attention are compared with the class's signature by one function."""

import dataclasses

import pytest
import torch

from wsol.attention.contract import check_options as check_attention_options
from wsol.attention.rfga import RFGA
from wsol.attention.tdam import TDAM
from wsol.cli.main import main
from wsol.errors import UserError
from wsol.methods.build import build_method
from wsol.models.factory import build_localizer
from wsol.recipe import BackboneSettings, DataSettings, MethodSettings, Recipe, TrainingSettings
from wsol.registry import check_options


@pytest.fixture(scope="module")
def localizer():
    return build_localizer(recipe_of("cam"), 3)


def recipe_of(name, **options):
    return Recipe(
        data=DataSettings(input_size=32, resize_size=32),
        backbone=BackboneSettings("small_resnet"),
        method=MethodSettings(name, options),
    )


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("cam", {"foo": 3}, "method CAM has no option 'foo': there are label_smoothing"),
        (
            "cam",
            {"label_smothing": 0.1},
            "method CAM has no option 'label_smothing': did you mean 'label_smoothing'?",
        ),
        ("cam", {"localizer": 1}, "method CAM has no option 'localizer': there are label_smoothing"),
        # It passes **options on to the base class.
        (
            "toy_methods:Adversarial",
            {"wieght": 1},
            "method Adversarial has no option 'wieght': did you mean 'weight'?",
        ),
        (
            "toy_methods:NeedsMargin",
            {},
            "method NeedsMargin needs the option 'margin': it has no default",
        ),
        (
            "toy_methods:StepLess",
            {},
            "method StepLess has no step(images, labels, turn): write one",
        ),
        ("toy_methods:Adversairal", {}, "has no 'Adversairal': did you mean 'Adversarial'?"),
        ("cma", {}, "unknown method 'cma': did you mean 'cam'?"),
    ],
)
def test_mistakes_are_one_line(localizer, name, options, message):
    with pytest.raises(UserError) as caught:
        build_method(recipe_of(name, **options), localizer)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_options_reach_the_class_and_its_base(localizer):
    recipe = recipe_of("toy_methods:Adversarial", weight=2.0, label_smoothing=0.25)
    method = build_method(recipe, localizer)
    assert method.weight == 2.0
    assert method.classification.label_smoothing == 0.25


def test_the_recipes_label_smoothing_gives_way_to_the_option(localizer):
    recipe = dataclasses.replace(recipe_of("cam"), training=TrainingSettings(label_smoothing=0.5))
    assert build_method(recipe, localizer).classification.label_smoothing == 0.5
    own = dataclasses.replace(recipe, method=MethodSettings("cam", {"label_smoothing": 0.125}))
    assert build_method(own, localizer).classification.label_smoothing == 0.125


def test_the_command_line_says_it_on_one_line(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    command = ["train", "--method.options.foo", "3", "--backbone.name", "small_resnet"]
    assert main([*command, "--how.workers", "0", "--how.device", "cpu"]) == 2
    error = capsys.readouterr().err
    assert "method CAM has no option 'foo'" in error
    assert "Traceback" not in error


def test_attention_is_checked_likewise():
    check_attention_options(RFGA, {"kernel": 5})
    check_attention_options(TDAM, {"steps": 3, "gating": "joint"})
    with pytest.raises(UserError, match=r"RFGA has no option 'kernal': did you mean 'kernel'\?"):
        check_attention_options(RFGA, {"kernal": 5})
    with pytest.raises(UserError, match=r"TDAM has no option 'stepps': did you mean 'steps'\?"):
        check_attention_options(TDAM, {"stepps": 5})
    with pytest.raises(UserError, match="attention TDAM has no option 'top_channels'"):
        check_attention_options(TDAM, {"top_channels": 5})


def test_a_class_that_takes_any_option_takes_any():
    class Open(torch.nn.Module):
        def __init__(self, channels, needed, **rest):
            super().__init__()

    check_options("attention", Open, {"needed": 1, "whatever": 2}, given=1)
    with pytest.raises(UserError, match="attention Open needs the option 'needed'"):
        check_options("attention", Open, {"whatever": 2}, given=1)


def test_a_class_without_options_says_so():
    class Bare(torch.nn.Module):
        def __init__(self, channels):
            super().__init__()

    with pytest.raises(UserError, match="attention Bare has no option 'k': it takes none"):
        check_options("attention", Bare, {"k": 2}, given=1)
