"""Output that is closed, full, left by its reader, or that cannot print every name."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = [sys.executable, "-m", "wsol.cli.main"]


def shell(line, folder, **variables):
    """Run a shell's line, ``wsol`` in it being this wsol; its code, standard output and error."""
    script = f'wsol() {{ "{sys.executable}" -m wsol.cli.main "$@"; }}; {line}'
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", script],
        capture_output=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **variables},
        check=False,
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


@pytest.mark.parametrize("closed", ["2>&-", ">&-", ">&- 2>&-", "<&-", "<&- >&- 2>&-"])
def test_closed_streams_change_neither_work_nor_code(closed, tmp_path):
    assert shell(f"wsol new-attention mine {closed}", tmp_path)[0] == 0
    assert {path.name for path in tmp_path.iterdir()} == {"mine.py", "test_mine.py"}
    assert "class Mine" in (tmp_path / "mine.py").read_text()
    code, out, error = shell(f"wsol new-attention mine {closed}", tmp_path)
    assert code == 2 and "Traceback" not in out + error


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
@pytest.mark.parametrize("command", ["list", "--help", "--version", "env"])
@pytest.mark.parametrize("buffered", ["", "1"])
def test_output_that_takes_no_more_is_one_line(command, buffered, tmp_path):
    code, _, error = shell(f"wsol {command} > /dev/full", tmp_path, PYTHONUNBUFFERED=buffered)
    assert code == 2 and error.count("\n") == 1
    assert error.startswith("wsol: error: ") and "output" in error and "no space is left" in error


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_an_error_that_cannot_be_told_keeps_its_code(tmp_path):
    assert shell("wsol lost 2> /dev/full", tmp_path)[0] == 2


@pytest.mark.parametrize("buffered", ["", "1"])
def test_a_reader_that_leaves_ends_it_in_silence(buffered, tmp_path):
    # The reader is gone before a word is printed: `true` reads nothing, and wsol waits for its end.
    code, _, error = shell(
        "mkfifo gone; true < gone & exec 3> gone; wait; wsol list >&3",
        tmp_path,
        PYTHONUNBUFFERED=buffered,
    )
    assert (code, error) == (0, "")


@pytest.mark.parametrize("name", ["鳥", "caf\udce9"])
@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_a_name_that_cannot_be_printed_is_escaped(name, encoding, tmp_path):
    folder = tmp_path / name
    folder.mkdir()
    done = subprocess.run(
        [*PROGRAM, "new-attention", "mine", "--output", os.fsencode(folder)],
        capture_output=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONIOENCODING": encoding},
        check=False,
    )
    assert done.returncode == 0 and done.stderr == b""
    assert name.encode(encoding, "backslashreplace") in done.stdout
    assert (folder / "mine.py").is_file()
