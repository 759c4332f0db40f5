"""Two processes under torchrun: the same bytes as one, in evaluation and for every image once."""

import json
import os
import subprocess
import sys
from pathlib import Path

from wsol.benchmark import train

TOP = Path(__file__).parents[2]


def metrics(folder):
    record = json.loads((folder / "metrics.json").read_text())
    return json.dumps([record["metrics"], record["optimism"], record["threshold"]]), record["n_images"]


def test_two_processes_score_as_one(tiny_recipe, tmp_path):
    tiny_recipe.training.epochs = 1
    tiny_recipe.evaluation.maps = ["cam"]
    run = train(tiny_recipe)
    arguments = ["--run", str(run), "--device", "cpu", "--workers", "0", "--output"]
    script = str(TOP / "evaluate.py")
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(TOP)}
    one = [sys.executable, script, *arguments, str(tmp_path / "one")]
    two = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", "--"]
    for command in (one, [*two, script, *arguments, str(tmp_path / "two")]):
        # After "--": torchrun takes "--run" for a short form of its own "--run-path".
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
    assert metrics(tmp_path / "one") == metrics(tmp_path / "two")
    assert metrics(tmp_path / "two")[1] == 11
    name = "per_image.csv"
    assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
