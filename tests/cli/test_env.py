"""What a bug report says of a machine: true, one line a fault, and silent about its owner."""

import getpass
import importlib
import importlib.metadata
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from wsol.cli import env
from wsol.cli.main import main


@pytest.fixture(scope="module")
def printed() -> str:
    """The JSON of a process of its own, as a user gets it."""
    done = subprocess.run(
        [sys.executable, "-m", "wsol.cli.main", "env", "--json"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.stderr == ""
    return done.stdout


def test_versions_are_those_of_the_installed_packages(printed):
    packages = json.loads(printed)["packages"]
    assert {"torch", "torchvision", "timm", "numpy", "opencv-python"} <= set(packages)
    for name, package in packages.items():
        assert package == {"version": importlib.metadata.version(name), "error": None}


def test_threads_are_those_that_the_libraries_use(printed):
    found = json.loads(printed)
    assert found["variables"]["OMP_NUM_THREADS"] == "1"
    assert found["threads"]["torch"] == 1
    assert found["usable_processors"] == len(os.sched_getaffinity(0))


def test_this_machines_torchvision_matches(printed):
    found = json.loads(printed)
    assert found["torch_and_torchvision_match"] is True
    assert found["troubles"] == []


def test_no_home_folder_is_printed(printed):
    assert str(Path.home()) + "/" not in printed


def test_names_are_taken_out_of_paths(monkeypatch):
    monkeypatch.setattr(Path, "home", lambda: Path("/home/alice"))
    monkeypatch.setattr(getpass, "getuser", lambda: "alice")
    text = "in /home/alice/x.py, /scratch/alice/y, /home/alice2/z, malice"
    assert env.without_names(text) == "in ~/x.py, /scratch/USER/y, /home/alice2/z, malice"


def test_a_package_that_cannot_be_imported_is_one_line_with_its_reason(monkeypatch, capsys):
    real = importlib.import_module

    def broken(name, package=None):
        if name.partition(".")[0] == "torchvision":
            raise RuntimeError("\noperator torchvision::nms does not exist\nsecond line")
        return real(name, package)

    monkeypatch.setattr(importlib, "import_module", broken)
    monkeypatch.setattr(env, "_required", lambda: ["numpy", "torch", "torchvision"])
    assert main(["env"]) == 0
    shown = capsys.readouterr()
    assert shown.err == "" and "second line" not in shown.out
    version = importlib.metadata.version("torchvision")
    fault = "RuntimeError: operator torchvision::nms does not exist"
    assert f"  torchvision  {version}  cannot be imported: {fault}\n" in shown.out
    assert "torch and torchvision: do not match\n" in shown.out
    assert f"trouble: torchvision does not run on this torch ({fault}): reinstall both" in shown.out


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(env, "_required", lambda: ["wsol-has-no-such-package"])
    package = env.environment()["packages"]["wsol-has-no-such-package"]
    assert package["version"] is None
    assert package["error"] == "ModuleNotFoundError: No module named 'wsol_has_no_such_package'"


def test_two_opencvs_are_a_trouble(monkeypatch):
    installed = {"opencv-python": "5.0", "opencv-python-headless": "4.11"}
    monkeypatch.setattr(env, "_version", installed.get)
    (trouble,) = env._troubles({}, None)
    assert trouble.startswith("opencv-python and opencv-python-headless overwrite each other")
