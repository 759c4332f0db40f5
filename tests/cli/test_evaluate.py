"""``wsol evaluate``: which options belong to what is scored."""

import pytest

from wsol.cli.main import main


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ("--run r --annotations a --name n --corners voc", "--annotations, --corners, --name: not with"),
        ("--run r --predictions p.csv", "--predictions: not with --run"),
        ("--images i --annotations a.csv --run r --manifest m", "--manifest: not with --images"),
        ("--images i --annotations a.csv --run r --split val", "--split: not with --images"),
        ("--maps d --manifest m --device cuda --workers 0", "--device, --workers: not with --maps"),
        ("--maps d --manifest m --overlays 3", "--overlays 3: say where to"),
        ("--maps d", "--maps needs --manifest DIR"),
        ("--images i --annotations a.csv", "--images needs one model"),
        ("--manifest m", "nothing to score: name --run RUN"),
        ("--run r --overlays -1", "not a whole number, 0 or more"),
    ],
)  # fmt: skip
def test_an_option_that_does_not_belong_to_the_subject_is_one_line(argv, message, capsys):
    assert main(["evaluate", *argv.split()]) == 2
    said = capsys.readouterr().err
    assert message in said and said.count("\n") == 1


def test_a_value_without_its_option_is_told_so(capsys):
    assert main(["evaluate", "runs/mine"]) == 2
    said = capsys.readouterr().err
    assert "unexpected argument 'runs/mine': name the option that it is for before it" in said
    assert "there are" not in said
