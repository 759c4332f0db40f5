"""The frame of the command line: help, exit codes, and what must not be imported."""

import subprocess
import sys

import pytest

from wsol.cli.main import COMMANDS, main


def test_help_names_every_command(capsys):
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(command in text for command in COMMANDS)


@pytest.mark.parametrize(
    "argv",
    [
        ["evalute"],
        ["list", "attentoin"],
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
