"""Two processes under torchrun: the same bytes as one, in evaluation and for every image once."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from wsol.files.locking.lock import hold
from wsol.pipeline.inputs import open_manifest, resolved
from wsol.pipeline.train import train
from wsol.training.run_folder import RunFolder, run_name

TOP = Path(__file__).parents[2]
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", "--"]


def run(*command) -> str:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(TOP)}
    words = [str(word) for word in command]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def start_both(*command) -> list[subprocess.Popen[str]]:
    """Two processes as torchrun starts them, without torchrun over them."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [sys.executable, *map(str, command)]
    both = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "TORCHELASTIC_RUN_ID": "test"}
    both |= {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(TOP)}
    return [
        subprocess.Popen(
            words,
            env=os.environ | both | {"RANK": rank, "LOCAL_RANK": rank},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in ("0", "1")
    ]


def metrics(folder):
    record = json.loads((folder / "metrics.json").read_text())
    return json.dumps([record["metrics"], record["optimism"], record["threshold"]]), record["n_images"]


@pytest.mark.parametrize(("recipe", "count"), [("tiny_recipe", 11), ("cross_fit", 14)])
def test_two_processes_score_as_one(recipe, count, request, tmp_path):
    trained = train(request.getfixturevalue(recipe).changed(training={"epochs": 1}))
    # After "--": torchrun takes "--run" for a short form of its own "--run-path".
    rest = ["--run", trained, "--device", "cpu", "--workers", "0", "--maps", "cam,features"]
    rest += ["--faithfulness", "--output"]
    run(sys.executable, TOP / "evaluate.py", *rest, tmp_path / "one")
    run(*TORCHRUN, TOP / "evaluate.py", *rest, tmp_path / "two")
    for source in ("cam", "features"):
        one, two = tmp_path / "one" / source, tmp_path / "two" / source
        assert metrics(one) == metrics(two)
        assert metrics(two)[1] == count
        assert (one / "per_image.csv").read_bytes() == (two / "per_image.csv").read_bytes()


def test_two_processes_train_one_network(tiny_recipe, tmp_path):
    # At T = 1 TDAM's attention is idle, as it declares: nobody may wait for its gradients.
    tiny_recipe = tiny_recipe.changed(attention={"name": "tdam", "options": {"steps": 1}})
    path = tiny_recipe.write(tmp_path / "recipe.yaml")
    printed = run(*TORCHRUN, TOP / "train.py", "--config", path)
    (said,) = printed.split()  # once
    folder = RunFolder(said)
    assert folder.facts()["processes"] == 2
    log = (folder.path / "log.csv").read_text().splitlines()
    assert len(log) == 1 + tiny_recipe.training.epochs
    assert not (folder.path / "resume.pth").exists()


def test_two_processes_are_both_told_that_another_holds_the_run(tiny_recipe, tmp_path):
    """Only the first asks for the lock; the other must not wait for it.

    Started without torchrun, which ends the other as soon as one of them has failed.
    """
    path = tiny_recipe.write(tmp_path / "recipe.yaml")
    recipe = resolved(tiny_recipe)
    folder = tmp_path / "runs" / run_name(recipe, open_manifest(recipe).hash)
    with hold(folder):
        running = start_both(TOP / "train.py", "--config", path)
        told = [process.communicate(timeout=240)[1] for process in running]
    assert [process.returncode for process in running] == [2, 2], told
    for text in told:
        (line,) = (line for line in text.splitlines() if line.startswith("wsol: error: "))
        assert line.startswith(f"wsol: error: {folder}: in use by process {os.getpid()} on ")
    assert not folder.exists()
