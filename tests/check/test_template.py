from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest

from wsol.check.template import PARAMETER_COUNTS
from wsol.cli.main import main


@pytest.mark.parametrize("insertion", sorted(PARAMETER_COUNTS))
def test_what_it_writes_passes_its_own_test(insertion, tmp_path, monkeypatch, capsys):
    name = f"fresh_{insertion}"
    assert main(["new-attention", name, "--insertion", insertion, "--output", str(tmp_path)]) == 0
    assert f"wsol check {name}:Fresh{insertion.capitalize()}" in capsys.readouterr().out
    monkeypatch.syspath_prepend(tmp_path)
    path = tmp_path / f"test_{name}.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    tests = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tests)
    tests.test_contract()
    tests.test_parameters()
    sys.modules.pop(name)


def test_a_file_that_is_there_stays(tmp_path, capsys):
    mine = tmp_path / "test_mine.py"
    mine.write_text("# mine\n")
    assert main(["new-attention", "mine", "--output", str(tmp_path)]) == 2
    assert capsys.readouterr().err == (
        f"wsol: error: {mine} is there already: choose another NAME or --output\n"
    )
    assert mine.read_text() == "# mine\n"
    assert not (tmp_path / "mine.py").exists()


@pytest.mark.parametrize("name", ["torch", "json", "wsol", "yaml"])
def test_a_name_that_would_hide_a_module_is_refused(name, tmp_path, capsys):
    assert main(["new-attention", name, "--output", str(tmp_path)]) == 2
    assert f"such as 'my_{name}'" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["Mine", "my-attention", "class", "2d", ""])
def test_names_that_python_does_not_take(name, tmp_path, capsys):
    assert main(["new-attention", name, "--output", str(tmp_path)]) == 2
    assert "lower case" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["check", "new-attention"])
def test_help_costs_no_torch(command):
    code = f"""
import sys
from wsol.cli.main import main
try:
    main([{command!r}, "--help"])
except SystemExit:
    pass
assert "torch" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert f"usage: wsol {command}" in done.stdout
