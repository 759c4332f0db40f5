"""Each notebook runs from top to bottom, and prints what the committed one shows.

Cells are run by a plain loop: no Jupyter is needed. They assert their own claims, such as a board that
is the same to the byte. What they print is the same on every machine and is compared here; what rests on
a training is shown as a cell's result or picture, and is not.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))

RUNNER = """
import contextlib, io, json, sys

with open(sys.argv[1], encoding="utf-8") as file:
    cells = json.load(file)["cells"]
names, printed = {"__name__": "__main__"}, []
for number, cell in enumerate(cells):
    if cell["cell_type"] == "code":
        with contextlib.redirect_stdout(io.StringIO()) as out:
            exec(compile("".join(cell["source"]), f"cell {number}", "exec"), names)
        printed.append(out.getvalue())
print(json.dumps(printed))
"""


def code_cells(path: Path) -> list[dict]:
    return [cell for cell in json.loads(path.read_text("utf-8"))["cells"] if cell["cell_type"] == "code"]


def test_one_notebook_for_each_user():
    assert [path.stem for path in NOTEBOOKS] == [
        "benchmark_a_module",
        "boxes_on_your_own_images",
        "regenerate_the_leaderboard",
    ]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_runs_and_prints_what_it_shows(path, tmp_path):
    elsewhere, temporary = tmp_path / "elsewhere", tmp_path / "temporary"
    elsewhere.mkdir()
    temporary.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", RUNNER, str(path)],
        cwd=elsewhere,
        env={
            **os.environ,
            "MPLBACKEND": "Agg",
            "TMPDIR": str(temporary),
            "PYTHONPATH": str(ROOT),
            "OMP_NUM_THREADS": "1",
        },
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr
    shown = [
        "".join("".join(out["text"]) for out in cell["outputs"] if out["output_type"] == "stream")
        for cell in code_cells(path)
    ]
    assert json.loads(done.stdout) == shown
    assert list(elsewhere.iterdir()) == []  # whatever is written goes to a temporary folder


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_is_valid_whole_and_of_no_particular_machine(path):
    text = path.read_text("utf-8")
    assert len(text.encode()) < 300_000
    notebook = json.loads(text)
    assert notebook["nbformat"] == 4
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    for cell in notebook["cells"]:
        assert cell["cell_type"] in ("code", "markdown")
        assert cell["source"] and isinstance(cell["metadata"], dict)
    cells = code_cells(path)
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [out for cell in cells for out in cell["outputs"]]
    assert {out["output_type"] for out in outputs} <= {"stream", "execute_result", "display_data"}
    assert any("image/png" in out.get("data", {}) for out in outputs)
    words = json.dumps([[out.get("text"), _texts(out)] for out in outputs])
    assert not re.search(r"[\"' (]/[a-z]+/|[A-Z]:\\\\", words), "a path of the machine it was run on"


def _texts(output: dict) -> list:
    return [value for kind, value in output.get("data", {}).items() if kind.startswith("text/plain")]
