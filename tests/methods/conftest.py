"""The toy methods can be imported as a user's own file can."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def toy_methods_on_path(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parent)
