"""The scripts that write the site's generated pages."""

import importlib
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "docs" / "generate"


@pytest.fixture
def generate(monkeypatch):
    """A script under docs/generate by its name; they are no package, and no other test sees them."""
    monkeypatch.syspath_prepend(SCRIPTS)
    yield importlib.import_module
    for name in {script.stem for script in SCRIPTS.glob("*.py")} - {"__main__"}:
        sys.modules.pop(name, None)
