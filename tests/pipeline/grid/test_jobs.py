"""Rows shared among processes: the same bytes, none twice, and what becomes of those that die."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from wsol.pipeline.benchmark import RowsFailed, benchmark
from wsol.pipeline.grid import agenda

TOP = Path(__file__).parents[3]
MODULES = Path(__file__).parent / "modules"


def in_folder(recipe, folder):
    """The recipe with its runs and results below ``folder``."""
    return recipe.changed(how={"runs": f"{folder}/runs", "results": f"{folder}/results"})


def content(folder):
    """By file name: hash of weights and arrays; of records, all but what tells when and how fast."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".safetensors", ".npz", ".jpg"):
            found[path.relative_to(folder)] = hashlib.sha256(path.read_bytes()).hexdigest()
        elif path.suffix == ".json" and "runs" in path.parts and path.name != "run.json":
            record = json.loads(path.read_text())
            found[path.relative_to(folder)] = [
                record[key] for key in ("run_id", "metrics", "optimism", "threshold", "arrays", "seeds")
            ]
    return found


@pytest.fixture
def launcher():
    """Starts launchers of their own: ``wsol benchmark`` in another process. None outlives its test."""
    started = []

    def start(recipe, folder, *options, gate):
        path = in_folder(recipe, folder).write(folder / "recipe.yaml")
        environment = {
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": os.pathsep.join([str(TOP), str(MODULES)]),
            "GATE": str(gate),
        }
        words = ["benchmark", "--config", str(path), "--overlays", "2", *options]
        started.append(
            subprocess.Popen(
                [sys.executable, "-m", "wsol.cli.main", *words],
                env=environment,
                stderr=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_two_at_a_time_give_what_one_after_the_other_gives(gated, tmp_path, capsys):
    recipes = [gated(), gated(training={"lr": 0.001})]
    for folder, jobs in (("one", 1), ("two", 2)):
        there = [in_folder(recipe, tmp_path / folder) for recipe in recipes]
        benchmark(there, seeds=[1], overlays=2, jobs=jobs)
    said = capsys.readouterr().err
    assert content(tmp_path / "one") == content(tmp_path / "two")
    assert sum(path.suffix == ".safetensors" for path in content(tmp_path / "two")) == 2
    begun = [line for line in said.splitlines() if f" -> {tmp_path}/two/" in line]
    assert sorted(line.partition(": ")[0] for line in begun) == [
        "Gate (1) seed 1",
        "Gate (2) seed 1",
    ]
    assert not list((tmp_path / "two").rglob(".*"))


@pytest.mark.parametrize("jobs", [1, 2])
def test_rows_that_fail_are_named_and_stop_no_other(gated, jobs, tmp_path, capsys):
    acts = ["refuse", "raise", *(["die"] if jobs > 1 else []), ""]
    recipes = [gated(act) for act in acts]
    unknown = gated().changed(attention={"name": "rfgaa", "options": {}})
    with pytest.raises(RowsFailed) as failed:
        benchmark([unknown, *recipes], jobs=jobs)
    lines = str(failed.value).splitlines()
    assert len(lines) == len(acts)
    said = {line.partition(": ")[0]: line.partition(": ")[2] for line in lines}
    assert said["Gate(act=refuse,step=0) seed 0"] == "this cannot be trained"
    assert said["Gate(act=raise,step=0) seed 0"] == "RuntimeError: a mistake in a module"
    assert any(name.startswith("rfgaa") and "did you mean" in why for name, why in said.items())
    if jobs > 1:
        assert "was killed by SIGKILL" in said["Gate(act=die,step=0) seed 0"]
    shown = capsys.readouterr().err
    assert "in _do" in shown  # where in the module the mistake is
    assert len(list((tmp_path / "results" / "runs").rglob("small_resnet*.json"))) == 1


def test_two_launchers_train_no_row_twice(launcher, gated, pipes, tmp_path, monkeypatch, capsys):
    recipe = gated("wait", 4)
    first = launcher(recipe, tmp_path, "--seeds", "0,1,2", gate=pipes.folder)
    pipes.wait()  # in its second epoch of the first row

    told = []

    def say(line):
        if not told:
            pipes.open()
        told.append(line)

    monkeypatch.setattr(agenda, "say", say)
    monkeypatch.setattr(agenda, "PATIENCE", 0.05)
    benchmark([in_folder(recipe, tmp_path)], seeds=[0, 1, 2], overlays=2)
    mine = "\n".join([*told, capsys.readouterr().err])
    theirs = first.communicate()[1]
    assert first.returncode == 0, theirs
    begun = [line for line in (mine + theirs).splitlines() if " -> " in line]
    assert len(begun) == len({line.split(" -> ")[1] for line in begun}) == 3
    assert f"in use by process {first.pid}" in mine
    assert len(list((tmp_path / "results" / "runs").rglob("small_resnet*.json"))) == 3


def test_workers_end_with_their_launcher_and_the_next_one_goes_on(launcher, gated, pipes, tmp_path):
    """Asked to end it stops them; killed it cannot, and they end by themselves."""
    recipe = gated("wait", 4, training={"epochs": 3})
    folder = tmp_path / "killed"
    for number in (signal.SIGINT, signal.SIGKILL):
        killed = launcher(recipe, folder, "--seeds", "0,1", "--jobs", "2", gate=pipes.folder)
        pipes.wait(2)  # both an epoch further than before
        killed.send_signal(number)
        said = killed.communicate()[1]
        pipes.wait_for_the_end()
        assert "Traceback" not in said
        assert killed.returncode == (130 if number == signal.SIGINT else -number), said
        assert not list((folder / "results").rglob("small_resnet*.json"))
    for there in (folder, tmp_path / "undisturbed"):
        benchmark([in_folder(recipe, there)], seeds=[0, 1], overlays=2)
    assert content(folder) == content(tmp_path / "undisturbed")
    assert not list(folder.rglob(".*"))


def test_jobs_are_refused_under_torchrun(gated, monkeypatch):
    monkeypatch.setenv("RANK", "0")
    with pytest.raises(ValueError, match="--jobs shares rows among processes, torchrun one row"):
        benchmark([gated()], jobs=2)
