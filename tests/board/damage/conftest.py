"""Four sound records, one of which is about to be damaged, and what the board must say of it then."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wsol.cli.main import main
from wsol.scores.per_image import PerImage
from wsol.scores.records import content_id, digest

COUNT = 12
VICTIM = "victim"
THRESHOLD = {"policy": "oracle", "chosen_on": "test", "values": {"max_box_acc@0.5": 0.25}}


def arrays(seed: int) -> bytes:
    generator = np.random.default_rng(seed)
    return PerImage(
        image_ids=np.array([f"image/{n}" for n in range(COUNT)]),
        labels=np.zeros(COUNT, np.int32),
        sizes=np.full((COUNT, 2), 100, np.int32),
        protocol=("choe2020", 1, 0.001),
        top1=np.ones(COUNT, np.int8),
        top5=np.ones(COUNT, np.int8),
        has_box=np.ones(COUNT, bool),
        top=np.full(COUNT, 255, np.uint8),
        single=generator.integers(0, 50_001, (COUNT, 256), dtype=np.uint16),
        all=generator.integers(0, 101, (COUNT, 256), dtype=np.uint8),
    ).to_bytes()


@pytest.fixture
def bank(store, results) -> Path:
    """Four sound records with arrays, the centred box among them; gives the victim's file."""
    rows: dict[str, dict[str, Any]] = {
        "cam": {"metrics": {"max_box_acc@0.5": 61.0}},
        "center": {"maps": "center", "what": {"source": "center"}, "metrics": {"max_box_acc@0.5": 50.0}},
        "tdam": {"attention": "tdam"},
        VICTIM: {"attention": "rfga", "threshold": THRESHOLD, "optimism": {"max_box_acc@0.5": 0.5}},
    }
    for seed, (name, changes) in enumerate(rows.items()):
        content = arrays(seed)
        beside = {"file": f"{name}.npz", "sha256": hashlib.sha256(content).hexdigest()}
        path = store(name, **{"threshold": THRESHOLD, "arrays": beside, **changes})
        path.with_suffix(".npz").write_bytes(content)
    return results / "runs" / f"{VICTIM}.json"


def read_board(results: Path) -> dict[str, bytes]:
    return {name: (results / name).read_bytes() for name in ("leaderboard.csv", "leaderboard.md")}


@pytest.fixture
def board() -> Callable[[Path], dict[str, bytes]]:
    """Gives the tables of a folder of results: their names and bytes."""
    return read_board


@pytest.fixture
def expected(bank, tmp_path) -> dict[str, bytes]:
    """The board of the other records, made in another folder."""
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(bank.parent, elsewhere / "runs")
    (elsewhere / "runs" / bank.name).unlink()
    assert main(["leaderboard", "--results", str(elsewhere)]) == 0
    return read_board(elsewhere)


@pytest.fixture
def is_named_and_left_aside(bank, expected, capsys) -> Callable[..., None]:
    """Checks that the victim, or ``name``, is named with these words and the others have their board."""
    results = bank.parent.parent

    def check(words: str, name: str = "") -> None:
        capsys.readouterr()
        for _ in range(2):  # what a first board remembers may not hide it from the second
            assert main(["leaderboard", "--results", str(results)]) == 2
            output = capsys.readouterr()
            lines = [line for line in output.err.splitlines() if not line.startswith("wsol: note")]
            assert len(lines) == 1, output.err
            assert lines[0].startswith("wsol: error: ") and (name or bank.name) in lines[0]
            assert words in lines[0]
            assert read_board(results) == expected

    return check


@pytest.fixture
def forge(bank) -> Callable[..., None]:
    """Gives the victim, or the file at ``path``, another value at a place; ``...`` takes it away.

    A place is ``recipe what seed``. Id and digest are made anew, so that only a check of the content
    itself can find it.
    """

    def write(place: str, value: Any, path: Path = bank) -> None:
        path.write_text(json.dumps(edited(json.loads(bank.read_text()), place, value)))

    return write


def edited(raw: dict[str, Any], place: str, value: Any) -> dict[str, Any]:
    """``raw`` with another value at a place, ``recipe what seed``; its id and digest made anew."""
    *parents, last = place.split()
    part = raw
    for key in parents:
        part = part.setdefault(key, {})
    if value is ...:
        del part[last]
    else:
        part[last] = value
    try:
        recipe, policy = raw["recipe"], raw["threshold"]["policy"]
        found = content_id(recipe["what"], raw["dataset"], raw["protocol"], raw["maps"], policy)
        raw["run_id"] = found
    except (KeyError, TypeError, AttributeError):
        pass  # the part that has no id is what is found
    raw["digest"] = digest({key: value for key, value in raw.items() if key != "digest"})
    return raw
