"""Commands that are killed while they write, and given again: as if nothing had happened."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from wsol.cli.main import main
from wsol.files.writing.leftovers import NAME

TOP = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(os.name == "nt", reason="no pipes of this kind here")

# Runs a command that says on a pipe that it is about to put a file in its place, and then waits to be
# killed. The interpreter tells of the renaming, whatever part of wsol does it.
HELD = """
import os, signal, sys
ready, ending, *argv = sys.argv[1:]

def see(event, arguments):
    if event == "os.rename" and os.fspath(arguments[1]).endswith(ending):
        os.write(int(ready), b"!")
        signal.pause()

sys.addaudithook(see)
from wsol.cli.main import main
main(argv)
"""
PREPARE = ["prepare", "clutter", "--size", "32", "--val", "10", "--test", "11"]
TIMES = ("started", "finished", "digest", "images_per_second", "ms_per_image", "train_images_per_second")


def kill_before(ending, argv, folder):
    """Start ``wsol ARGV`` in ``folder`` and kill it right before a file whose path ends so is there."""
    told, ready = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-c", HELD, str(ready), ending, *argv],
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(TOP)},
        cwd=folder,
        pass_fds=[ready],
        stdout=subprocess.DEVNULL,
    )
    os.close(ready)
    met = os.read(told, 1)  # nothing once the process has ended
    os.close(told)
    process.kill()
    process.wait()
    assert met == b"!", f"no file {ending} was written"


def contents(folder):
    """Every file and folder below, files without the times that they say."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if ".cache" in path.parts:  # what was read before, by its time
            continue
        if path.is_dir():
            found[name] = None
        elif path.suffix == ".json":
            found[name] = _timeless(json.loads(path.read_text()))
        elif path.name != "log.csv":  # how many images a second
            found[name] = path.read_bytes()
    return found


def _timeless(value):
    if isinstance(value, dict):
        return {key: _timeless(item) for key, item in value.items() if key not in TIMES}
    return value


def leftovers(folder):
    return [path.name for path in folder.rglob("*") if NAME.fullmatch(path.name)]


@pytest.fixture
def places(tmp_path):
    """Where a command is killed, and where the same one is not."""
    for name in ("killed", "undisturbed"):
        (tmp_path / name).mkdir()
    return tmp_path / "killed", tmp_path / "undisturbed"


def killed_and_not(places, argv, ending, monkeypatch):
    """Kill the command in one place, give it again there, and give it in the other."""
    kill_before(ending, argv, places[0])
    assert leftovers(places[0]), "it was not killed while it wrote"
    for place in places:
        monkeypatch.chdir(place)
        assert main(argv) == 0
    assert contents(places[0]) == contents(places[1])
    assert not leftovers(places[0])


def test_a_killed_prepare_leaves_the_older_manifest(places, monkeypatch):
    for place in places:
        monkeypatch.chdir(place)
        assert main([*PREPARE, "--train", "9", "--seed", "1", "--output", "manifest"]) == 0
    older = contents(places[0])
    argv = [*PREPARE, "--train", "12", "--output", "manifest"]
    kill_before("manifest.json", argv, places[0])
    seen = {name: content for name, content in contents(places[0]).items() if name[0] != "."}
    assert seen == older
    killed_and_not(places, argv, "manifest.json", monkeypatch)


@pytest.mark.parametrize("ending", [".json", "report.html"])
def test_a_killed_benchmark_has_the_same_rows_in_the_end(ending, places, tiny_recipe, monkeypatch):
    # All images are one batch: so few that no speed is taken, which would differ.
    recipe = tiny_recipe.changed(
        training={"epochs": 1},
        evaluation={"batch_size": 16},
        how={"runs": "runs", "results": "results"},
    )
    for place in places:
        recipe.write(place / "cam.yaml")
    argv = ["benchmark", "--config", "cam.yaml", "--overlays", "2"]
    killed_and_not(places, argv, ending, monkeypatch)
