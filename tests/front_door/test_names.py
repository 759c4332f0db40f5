"""The front door: every name is there, typed, and costs nothing before it is used."""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import json
import pkgutil
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import wsol

HERE = Path(__file__).parent


def typed_imports() -> dict[str, str]:
    """Name to module, as a type checker reads them in wsol/__init__.py."""
    tree = ast.parse(Path(wsol.__file__).read_text(encoding="utf-8"))
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    return {
        alias.asname or alias.name: f"{statement.module}:{alias.name}"
        for statement in block.body
        if isinstance(statement, ast.ImportFrom)
        for alias in statement.names
    }


def test_what_a_type_checker_sees_is_what_there_is():
    places = {name: place if ":" in place else f"{place}:{name}" for name, place in wsol._PLACES.items()}
    # A room may hand a name on (wsol.recipe those of its files): the modules differ, the things do not.
    assert typed_imports().keys() == places.keys() == set(wsol.__all__)
    for name, place in typed_imports().items():
        module, _, attribute = place.partition(":")
        assert getattr(importlib.import_module(module), attribute) is getattr(wsol, name)


def test_no_submodule_hides_a_name():
    """All of the package is imported first, as a long session does, and then every name is asked for."""
    for module in pkgutil.walk_packages(wsol.__path__, "wsol."):
        importlib.import_module(module.name)
    for name in wsol.__all__:
        found = getattr(wsol, name)
        assert callable(found) and not isinstance(found, ModuleType), name
    assert {name for name in dir(wsol) if not name.startswith("_")} == set(wsol.__all__)


def test_importing_it_imports_no_library():
    code = (
        "import sys; before = set(sys.modules); import wsol; "
        "print(sorted({name.partition('.')[0] for name in set(sys.modules) - before}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(ast.literal_eval(done.stdout))
    assert not loaded & {"numpy", "torch", "pandas", "cv2", "numba", "timm", "scipy", "PIL"}


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'boxx'"):
        wsol.boxx  # noqa: B018


@pytest.mark.parametrize("name", wsol.__all__)
def test_every_name_says_what_it_is(name):
    found = getattr(wsol, name)
    assert len(inspect.getdoc(found) or "") > 40
    if inspect.isfunction(found):
        parameters = inspect.signature(found).parameters.values()
        assert len(parameters) <= 6
        assert not any(each.kind is each.VAR_KEYWORD for each in parameters)
        assert all(each.annotation is not inspect.Parameter.empty for each in parameters)
        assert (
            ">>>" in (found.__doc__ or "")
            or "Arguments as of" in (found.__doc__ or "")
            or (name in ("evaluate", "evaluate_images", "evaluate_maps", "localize", "demo", "top1_loc"))
        )


@pytest.mark.parametrize(
    "module",
    [
        "wsol",
        "wsol.evaluation.in_memory.boxes_and_iou",
        "wsol.evaluation.in_memory.metric_calls",
        "wsol.pipeline.model",
    ],
)
def test_the_examples_of_the_docstrings_run(module):
    result = doctest.testmod(importlib.import_module(module), optionflags=doctest.ELLIPSIS)
    assert result.attempted > 0
    assert result.failed == 0


def test_pyright_sees_the_type_of_every_name():
    """``user_file.py`` uses all names; in strict mode anything unknown or Any in it is an error."""
    pyright = Path(sys.executable).with_name("pyright")
    if not pyright.exists() and shutil.which("pyright") is None:
        pytest.skip("pyright is not installed")
    used = (HERE / "user_file.py").read_text(encoding="utf-8")
    assert [name for name in wsol.__all__ if f"wsol.{name}" not in used] == []
    command = [str(pyright), "--outputjson", "--pythonpath", sys.executable, "-p", str(HERE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    report = json.loads(done.stdout)
    errors = [
        f"{each['range']['start']['line'] + 1}: {each['message']}"
        for each in report["generalDiagnostics"]
    ]
    assert errors == []
    assert report["summary"]["filesAnalyzed"] >= 1
