"""What a diagnosis is made of, before anything is trained; and its bad input."""

import pytest

from wsol.cli.main import main
from wsol.errors import UserError
from wsol.pipeline.diagnosis.diagnose import DiagnosisPlan
from wsol.pipeline.diagnosis.figures import PRIMARY, TRAINING_SETS, images_of
from wsol.pipeline.diagnosis.rows import CAM, CONTROL, rows_of
from wsol.pipeline.digits_recipes import localizer_of, own_map
from wsol.recipe import AttentionSettings, MethodSettings


def parameters(attention):
    return sum(each.numel() for each in localizer_of(attention).parameters())


@pytest.mark.parametrize("name", ["rfga", "se", "tdam"])
def test_the_control_has_about_as_many_parameters_as_the_module(name):
    attention = AttentionSettings(name=name)
    cam, control, module = rows_of(attention, MethodSettings())
    assert [cam.title, control.title, module.title] == [CAM, CONTROL, name]
    bare = parameters(AttentionSettings())
    added, of_control = parameters(attention) - bare, parameters(control.attention) - bare
    channels = localizer_of(AttentionSettings()).backbone.out_channels
    assert abs(added - of_control) <= channels + 1  # half a channel of its width


def test_two_settings_of_a_method_are_two_rows():
    """Or the second would be written over the first's table, picture and figures."""
    several = [{}, {"shuffled": True}, {"reward": "scal"}]
    titles = [
        rows_of(AttentionSettings(name="se"), MethodSettings("dreal", own))[-1].title for own in several
    ]
    assert titles == ["se dreal", "se dreal(shuffled=True)", "se dreal(reward=scal)"]


def test_what_adds_no_parameters_has_no_control():
    assert [row.title for row in rows_of(AttentionSettings(name="simam"), MethodSettings())] == [
        CAM,
        "simam",
    ]


def test_a_row_is_read_by_its_cam_unless_it_has_none():
    assert own_map(AttentionSettings(name="rfga")) == "cam"
    assert own_map(AttentionSettings(name="ltpa")) == "attention"


def test_each_training_set_begins_with_the_images_that_hold_the_training():
    for training in TRAINING_SETS:
        for full in (False, True):
            images = images_of(training, full=full)
            assert [one.trains for one in images] == [True] + [False] * (len(images) - 1)
            assert len({one.variant for one in images}) == len(images)
    shown = {one.variant for training in TRAINING_SETS for one in images_of(training, full=False)}
    assert {figure.images.variant for figure in PRIMARY} <= shown
    assert {"context 0.9 correlated", "context 0.9 uncorrelated"} <= shown
    full = {one.variant for training in TRAINING_SETS for one in images_of(training, full=True)}
    assert {"base 0", "base 4", "company 0", "scale 49", "several 1 apart", "parts 0.25"} <= full


def test_a_seed_that_comes_twice_is_trained_and_told_once():
    assert DiagnosisPlan(AttentionSettings(name="se"), seeds=[1, 0, 1]).seeds == (1, 0)


def test_it_needs_something_to_diagnose():
    with pytest.raises(UserError, match="CAM is what modules are compared with"):
        DiagnosisPlan(AttentionSettings())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["rfag"], "did you mean 'rfga'"),
        (["rfga", "--training.epochs", "3"], "one network, budget and data set"),
        (["rfga", "--attention.options.kk", "3"], "kk"),
        (["rfga", "--seeds", "a"], "whole numbers with commas"),
        (["rfga", "--seeds", "-1"], "-1 is not from 0 to"),
        (["rfga", "--method", "acoll"], "did you mean 'acol'"),
        (["none", "--method", "has", "--method.options.grids", "3"], "grids"),
        (["rfga", "--jobs", "0"], "--jobs"),
        (["rfga", "--controls", "--seeds", "1"], "trains no module: leave out rfga, --seeds"),
    ],
)
def test_bad_input_is_one_line(words, message, capsys, tmp_path):
    assert main(["diagnose", *words, "--output", str(tmp_path / "d")]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert message in lines[0]
    assert not (tmp_path / "d").exists()
