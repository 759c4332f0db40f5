"""The frame of the command line: help, exit codes, and what must not be imported."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest

from wsol.cli.main import COMMANDS, main

FAMILIES = Path(__file__).parents[2] / "wsol/models/networks/timm_families.csv"


def test_help_names_every_command(capsys):
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(command in text for command in COMMANDS)


@pytest.mark.parametrize(
    "argv",
    [
        ["evalute"],
        ["list", "attentoin"],
        ["train"],
        ["train", "--trainig.lr", "1"],
        ["check", "tdam", "--options", "k=["],
    ],
)
def test_mistakes_exit_with_two_and_one_line(argv, capsys):
    assert main(argv) == 2
    shown = capsys.readouterr().err
    assert shown.startswith("wsol: error: ")
    assert shown.count("\n") == 1


def test_what_the_system_refuses_is_one_line(tmp_path, capsys):
    (tmp_path / "file").write_text("no folder")
    assert main(["new-attention", "top_hat", "--output", str(tmp_path / "file" / "below")]) == 2
    shown = capsys.readouterr().err
    assert shown.startswith("wsol: error: ") and "file" in shown and shown.count("\n") == 1


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command, capsys):
    with pytest.raises(SystemExit) as left:
        main([command, "--help"])
    assert left.value.code == 0
    assert f"wsol {command}" in capsys.readouterr().out


@pytest.mark.parametrize("argv", [["--help"], ["list"], ["prepare", "--help"], ["iou", "--help"]])
def test_light_commands_import_no_torch(argv):
    program = (
        "import sys; from wsol.cli.main import main\n"
        f"try: main({argv!r})\nexcept SystemExit: pass\n"
        "sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


def test_backbones_are_listed_with_every_family_of_timms_and_why_some_are_none(capsys):
    assert main(["list", "backbones"]) == 0
    lines = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    with FAMILIES.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len({row["family"] for row in rows}) > 90
    listed = dict(line for line in lines if len(line) == 2)
    for row in rows:
        shown = listed[row["network"]]
        assert row["family"] in shown and (row["verdict"] == "builds" or row["words"] in shown)
    builds = sum(row["verdict"] == "builds" for row in rows)
    assert any(f"{builds} of its {len(rows)} families" in " ".join(line) for line in lines)
