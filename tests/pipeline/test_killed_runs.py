"""A run that is killed, or that two processes want: one finished run with the undisturbed weights."""

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from torch import nn

from wsol.errors import UserError
from wsol.files.locking.lock import TAKEN_OVER_AFTER, Held, Lost, hold
from wsol.pipeline.evaluate_run import evaluate_run
from wsol.pipeline.outputs.publish import Outputs
from wsol.pipeline.train import train
from wsol.training.run_folder import RunFolder

TOP = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no signals of this kind here")

# Forks processes on command, after the imports, which take longer than the training. Each trains a
# recipe on the machine that is named, and sends itself a signal before the given call of a method of
# RunFolder. Said is the process, and how it has ended: a negative number is a signal.
FORKER = """
import os, signal, socket, sys
from wsol.cli.main import main
from wsol.pipeline.train import train
from wsol.training.run_folder import RunFolder

def strike(method, call, number):
    real, calls = getattr(RunFolder, method), []
    def struck(self, *arguments):
        calls.append(method)
        if len(calls) == call:
            os.kill(os.getpid(), number)
        return real(self, *arguments)
    setattr(RunFolder, method, struck)

def begin(method, call, number, host, recipe):
    child = os.fork()
    if not child:
        socket.gethostname = lambda: host
        os.dup2(os.open(recipe + ".said", os.O_CREAT | os.O_WRONLY), 2)
        sys.stdout = sys.stderr
        strike(method, int(call), int(number))
        os._exit(main(["train", "--config", recipe]))
    return child

for line in sys.stdin:
    first, *rest = line.split()
    child = int(first) if not rest else begin(first, *rest)
    _, status = os.waitpid(child, os.WUNTRACED)
    stopped = os.WIFSTOPPED(status)
    print(child, -os.WSTOPSIG(status) if stopped else os.waitstatus_to_exitcode(status), flush=True)
"""

# The places where a run of two epochs is killed. Between the temporary file and its rename
# _check_writable is asked: for recipe.yaml, then for weights, log and resume.pth of each epoch, ...
PLACES = {
    "half-written weights": ("_check_writable", 5),
    "weights before progress": ("save_progress", 2),
    "progress before run.json": ("write_facts", 1),
    "half-written run.json": ("_check_writable", 9),
    "run.json before the end": ("tidy", 1),
}


@pytest.fixture(scope="module")
def forker():
    """Gives a line to the forker, and what it says: the process and how it ended."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(TOP)}
    process = subprocess.Popen(
        [sys.executable, "-c", FORKER],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    def ask(*words):
        print(*words, file=process.stdin, flush=True)
        return tuple(map(int, process.stdout.readline().split()))

    yield ask
    process.stdin.close()
    process.wait()
    process.stdout.close()


def in_folder(recipe, folder):
    return recipe.changed(how={"runs": folder.as_posix()})


def sha256(folder):
    return hashlib.sha256((folder / "last.safetensors").read_bytes()).hexdigest()


@pytest.fixture
def undisturbed(tiny_recipe, tmp_path, weights_of):
    """The hash of the weights of a run that nothing disturbs; all runs here are of one recipe."""
    if not weights_of:
        weights_of.append(sha256(train(in_folder(tiny_recipe, tmp_path / "undisturbed"))))
    return weights_of[0]


@pytest.fixture(scope="module")
def weights_of():
    return []


def check_whole(folder, undisturbed):
    """A finished run with the undisturbed weights, and nothing beside."""
    assert sorted(path.name for path in folder.iterdir()) == [
        "last.safetensors",
        "log.csv",
        "recipe.yaml",
        "run.json",
    ]
    assert sha256(folder) == undisturbed
    assert json.loads((folder / "run.json").read_text())["weights"] == {"last.safetensors": undisturbed}
    assert len((folder / "log.csv").read_text().splitlines()) == 3


@pytest.mark.parametrize("place", PLACES)
def test_killed_anywhere_and_started_again_it_is_the_undisturbed_run(
    place, tiny_recipe, tmp_path, undisturbed, forker
):
    path = tiny_recipe.write(tmp_path / "recipe.yaml")
    method, call = PLACES[place]
    _, ended = forker(method, call, int(signal.SIGKILL), socket.gethostname(), path)
    assert ended == -signal.SIGKILL
    (folder,) = (tmp_path / "runs").iterdir()
    assert (folder / ".lock").exists()  # it was killed while it held the folder
    assert train(tiny_recipe) == folder
    check_whole(folder, undisturbed)


@pytest.fixture
def stopped(tiny_recipe, tmp_path, forker):
    """A process that has stopped itself in its first epoch: after weights and log, before progress."""
    path = tiny_recipe.write(tmp_path / "recipe.yaml")
    process, how = forker("save_progress", 1, int(signal.SIGSTOP), "alpha", path)
    assert how == -signal.SIGSTOP
    yield process
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)


def test_a_second_process_is_told_and_a_stopped_one_goes_on(
    tiny_recipe, tmp_path, undisturbed, stopped, forker, monkeypatch
):
    monkeypatch.setattr("socket.gethostname", lambda: "alpha")
    (folder,) = (tmp_path / "runs").iterdir()
    with pytest.raises(Held, match=rf"in use by process {stopped} on alpha"):
        train(tiny_recipe)
    os.kill(stopped, signal.SIGCONT)
    assert forker(stopped) == (stopped, 0)
    assert train(tiny_recipe) == folder
    check_whole(folder, undisturbed)


def test_taken_over_from_another_machine_the_stopped_process_writes_nothing_more(
    tiny_recipe, tmp_path, undisturbed, stopped, forker, monkeypatch
):
    monkeypatch.setattr("socket.gethostname", lambda: "beta")
    (folder,) = (tmp_path / "runs").iterdir()
    with pytest.raises(Held, match=rf"in use by process {stopped} on alpha"):
        train(tiny_recipe)
    past = (folder / ".lock").stat().st_mtime - TAKEN_OVER_AFTER - 1
    os.utime(folder / ".lock", (past, past))
    assert train(tiny_recipe) == folder
    assert sha256(folder) == undisturbed
    os.kill(stopped, signal.SIGCONT)
    assert forker(stopped) == (stopped, 2)
    said = (tmp_path / "recipe.yaml.said").read_text().splitlines()
    (line,) = [line for line in said if "error" in line]
    assert line.startswith(f"wsol: error: {folder}: ")
    assert "writes nothing more there" in line
    check_whole(folder, undisturbed)


def test_a_run_that_was_taken_over_while_it_was_scored_makes_no_record(tiny_recipe, tmp_path):
    run = train(tiny_recipe)
    outputs = Outputs(results=tmp_path / "results")
    with hold(run):
        (run / ".lock").unlink()
        with pytest.raises(Lost, match="writes nothing more there"):
            evaluate_run(run, outputs=outputs)
        assert not list(tmp_path.glob("results/**/*.*"))
    evaluate_run(run, outputs=outputs)
    assert list(tmp_path.glob("results/runs/*/*.json"))


def test_a_finished_run_is_not_written_to(tiny_recipe):
    folder = RunFolder(train(tiny_recipe))
    before = {path.name: path.read_bytes() for path in folder.path.iterdir()}
    module = nn.Linear(2, 2)
    for write in (
        lambda: folder.save_weights(module, "last"),
        lambda: folder.write_log([{"epoch": 1}]),
        lambda: folder.save_progress({"epochs": 1}),
        lambda: folder.write_recipe(tiny_recipe),
        lambda: folder.write_facts({}),
        lambda: folder.fold(0).save_weights(module, "last"),
    ):
        with pytest.raises(UserError, match=r"this run is finished, nothing more is written"):
            write()
    assert {path.name: path.read_bytes() for path in folder.path.glob("*.*")} == before
