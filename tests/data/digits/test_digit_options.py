"""What the command line says to options that a test does not have; and which training each has."""

from __future__ import annotations

import pytest

from wsol.cli.main import main
from wsol.data.digits.tests import TESTS, digits_set, with_training
from wsol.data.layouts.digits import DIALS, LAYOUT


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("--test bass", "--test bass: no such test: did you mean 'base'?"),
        ("--test 7", "--test 7: no such test: there are base, company, context, none,"),
        ("--tets base", "unknown argument '--tets': did you mean '--test'"),
        ("--spacing apart", "--spacing apart: the test base has no such option; its own: --distractors"),
        ("--test none --share 0.5", "the test none has no such option; its own: none"),
        (
            "--test several --side 12",
            "the test several has no such option; its own: --instances, --spacing",
        ),
        ("--distractors 5", "--distractors 5: the test base has 0, 1, 2, 3, 4"),
        ("--distractors two", "argument --distractors: invalid int value: 'two'"),
        ("--test company --companions 3", "--companions 3: the test company has 0, 1, 2"),
        ("--test scale --side 13", "--side 13: the test scale has 0, 12, 21, 30, 40, 49"),
        ("--test several --instances 0", "--instances 0: the test several has 1, 2, 3, 4"),
        ("--test several --spacing near", "--spacing near: the test several has apart, touching"),
        ("--test parts --share 0.9", "--share 0.9: the test parts has 0.25, 0.5, 0.75"),
        ("--test parts --share nan", "--share nan: the test parts has 0.25, 0.5, 0.75"),
        ("--test context --share 0.25", "--share 0.25: the test context has 0.5, 0.8, 0.9, 0.95"),
        ("--test context --texture grass", "the test context has correlated, uncorrelated"),
        (
            "--test scale --taught",
            "--taught: the test scale has no training of its own; base and parts have",
        ),
        ("--test context --taught", "--taught: the test context has no training of its own;"),
        ("--size 51", "--size 51: must be from 52, where the smallest object has the 8 pixels"),
        ("--size 1025", "to 1024"),
        ("--train -1", "--train -1: must not be negative"),
        ("--val -2", "--val -2: must not be negative"),
        ("--images -3", "--images -3: must not be negative"),
        ("--seed -4", "--seed -4: must not be negative"),
        ("--test scale --train -1", "--train -1: must not be negative"),
        (
            "--train 0 --val 0 --images 0",
            "no image is asked for: the manifest of base 2 is of train, val,",
        ),
        # The training images of another manifest are none of this one.
        ("--test scale --val 0 --images 0", "the manifest of scale 0 is of val, test"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(tmp_path, capsys, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    assert main(["prepare", "digits", *arguments.split()]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("wsol: error: ") and said in line
    assert list(tmp_path.iterdir()) == []


def test_the_command_line_draws_and_says_what(tmp_path, capsys):
    folder = tmp_path / "m"
    few = ["--val", "7", "--images", "7", "--output", str(folder)]
    assert main(["prepare", "digits", "--test", "company", "--companions", "2", *few]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert (
        "  val: 7 images, 21 boxes, 7 masks" in lines and "  test: 7 images, 21 boxes, 7 masks" in lines
    )
    assert any("64 x 64 pixels, seed 0; exposes class-agnostic maps" in line for line in lines)


@pytest.mark.parametrize("test", list(TESTS))
def test_every_value_of_every_dial_can_be_read(test):
    for name, option in TESTS[test].options.items():
        assert option.default in option.values
        for value in option.values:
            draft = LAYOUT.read(None, LAYOUT.options(test=test, **{name: value}))
            assert draft.drawn["options"][name] == value


def test_every_option_is_on_the_command_line():
    assert set(DIALS) == {name for test in TESTS.values() for name in test.options}
    assert all(getattr(LAYOUT.options(), name) is None for name in DIALS)


def test_numbers_of_tests_are_their_seeds_and_differ():
    """0 is the seed of the samples' splits."""
    assert sorted(test.number for test in TESTS.values()) == list(range(1, 8))


@pytest.mark.parametrize(
    ("test", "options", "trains"),
    [
        ("base", {}, True),
        ("base", {"distractors": 1}, False),
        ("company", {}, False),
        ("scale", {}, False),
        ("several", {}, False),
        ("none", {}, False),
        ("parts", {}, True),
        ("parts", {"share": 0.25}, False),
        ("context", {}, True),
        ("context", {"share": 0.5}, True),
        ("context", {"texture": "uncorrelated"}, False),
    ],
)
def test_one_setting_of_each_training_set_holds_its_images(test, options, trains):
    assert digits_set(test, **options).trains == trains


def test_a_training_at_the_usual_setting_is_the_usual_one():
    """But that of parts has every share, so one at its usual share is another."""
    assert with_training(digits_set("base")) == digits_set("base")
    assert with_training(digits_set("parts")).variant == "parts 0.5 taught"


def test_a_training_at_another_setting_is_its_own():
    usual = digits_set("base", distractors=0)
    own = with_training(usual)
    assert (usual.trains, own.trains) == (False, True)
    assert (usual.variant, own.variant) == ("base 0", "base 0 taught")
    assert usual.training == {"set": "base"} and own.training == {"set": "base", "distractors": 0}


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("", "digits"),
        ("--test base --distractors 2", "digits"),
        ("--distractors 0 --taught", "digits-base-0-taught"),
        ("--test parts", "digits-parts"),
        ("--test parts --share 0.25", "digits-parts-0.25"),
        ("--test several --spacing touching", "digits-several-touching"),
    ],
)
def test_each_setting_has_a_folder_of_its_own(tmp_path, monkeypatch, capsys, words, name):
    """Written without --output, one test does not take the place of another."""
    monkeypatch.chdir(tmp_path)
    few = "--train 7 --val 7 --images 7"
    assert main(["prepare", "digits", *words.split(), *few.split()]) == 0
    assert [path.name for path in (tmp_path / "manifests").iterdir()] == [name]
    assert f"manifest manifests/{name}, hash " in capsys.readouterr().out
