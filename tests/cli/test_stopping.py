"""Signals: nothing is left half-written, what is saved is said, the code tells which signal it was."""

import os
import signal
import subprocess
import sys
import time

import pytest

from wsol.cli.main import main
from wsol.cli.stopping import Stop, Stopped

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}

# Writes a file, says so by a marker, and waits in the middle of it for the signal.
WRITES = """
import signal, sys
from pathlib import Path
from wsol.cli import list as command
from wsol.cli.main import main
from wsol.files.writing.atomic import replacing
from wsol.progress import note_saved

def write(argv):
    if SAVED:
        note_saved(SAVED)
    with replacing("table.csv") as temporary:
        temporary.write_text("half of it")
        print("ready", flush=True)
        TAKE_IT
    return 0

command.main = write
sys.exit(main(["list"]))
"""


def hear_all():
    """Under nohup, or behind a shell's `&`, tests are deaf to some signals; their children are not."""
    for number in CODES:
        signal.signal(number, signal.SIG_DFL)


def stopped(number, folder, saved="", waiting="signal.pause()", prefix=()):
    program = WRITES.replace("SAVED", repr(saved)).replace("TAKE_IT", waiting)
    process = subprocess.Popen(
        [*prefix, sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        text=True,
        preexec_fn=hear_all,
    )
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    _, said = process.communicate()
    return process.returncode, said


@pytest.mark.parametrize("number", CODES)
def test_a_signal_takes_back_what_is_half_written(number, tmp_path):
    (tmp_path / "table.csv").write_text("as it was")
    code, said = stopped(number, tmp_path)
    how = "interrupted" if number == signal.SIGINT else f"stopped by {number.name}"
    assert code == CODES[number]
    assert said == f"wsol: {how}: no file is left half-written; run the same command again\n"
    assert (tmp_path / "table.csv").read_text() == "as it was"
    assert [path.name for path in tmp_path.iterdir()] == ["table.csv"]


@pytest.mark.parametrize("number", CODES)
def test_it_says_what_is_saved(number, tmp_path):
    code, said = stopped(number, tmp_path, saved="runs/x: epoch 3 of 8 is saved")
    assert code == CODES[number] and said.endswith(": runs/x: epoch 3 of 8 is saved\n")


@pytest.mark.parametrize("other", ["RuntimeError('lost')", "KeyError()", "SystemError()"])
def test_a_library_that_turns_it_into_another_error_changes_nothing(other, tmp_path):
    waiting = f"""try:
            signal.pause()
        except BaseException:
            raise {other} from None"""
    code, said = stopped(signal.SIGTERM, tmp_path, waiting=waiting)
    assert code == 143 and said.startswith("wsol: stopped by SIGTERM: ") and said.count("\n") == 1


def test_a_signal_that_is_ignored_stays_so(tmp_path):
    nohup = [
        sys.executable,
        "-c",
        "import os, signal, sys; signal.signal(signal.SIGHUP, signal.SIG_IGN)",
    ]
    nohup[-1] += "; os.execv(sys.argv[1], sys.argv[1:])"
    waiting = "signal.raise_signal(signal.SIGHUP); print('on', flush=True); signal.pause()"
    code, said = stopped(signal.SIGTERM, tmp_path, waiting=waiting, prefix=nohup)
    assert code == 143 and "SIGTERM" in said


def test_handlers_are_as_before_when_a_command_has_ended(capsys):
    before = [signal.getsignal(number) for number in CODES]
    assert main(["list", "methods"]) == 0
    assert [signal.getsignal(number) for number in CODES] == before


def test_a_second_signal_does_not_break_into_the_cleaning_up():
    stop, cleaned = Stop(), []
    with pytest.raises(Stopped) as caught, stop.listening():
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            signal.raise_signal(signal.SIGTERM)
            cleaned.append(True)
    assert cleaned and caught.value.number == signal.SIGTERM


class Ending:
    """Its finalizer is where the signal comes: what is raised there is printed and forgotten."""

    def __init__(self, number):
        self.number = number

    def __del__(self):
        signal.raise_signal(self.number)
        type(self).whole = True


@pytest.mark.parametrize("number", CODES)
def test_a_signal_that_meets_a_finalizer_comes_again(number, capsys):
    Ending.whole, stop = False, Stop()
    before = signal.signal(number, signal.SIG_DFL)  # under nohup SIGHUP is ignored
    try:
        with stop.listening(), pytest.raises(Stopped) as raised:
            Ending(number)
            assert Ending.whole, "the finalizer was broken off"
            time.sleep(20)
    finally:
        signal.signal(number, before)
    assert raised.value.number == stop.number == number
    assert not capsys.readouterr().err


@pytest.mark.parametrize("number", [None, signal.SIGTERM])
def test_what_finalizers_say_on_the_way_out_is_not_told(number, monkeypatch):
    told = []
    monkeypatch.setattr(sys, "unraisablehook", told.append)

    class Broken:
        def __del__(self):
            raise RuntimeError("a worker is gone")

    stop = Stop()
    with stop.listening():
        stop.number = number
        Broken()
    assert len(told) == (number is None)
    assert sys.unraisablehook == told.append
