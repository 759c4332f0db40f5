"""Damaged records: the board of the others stands, the damaged one is named, no figure is another."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

from benchmarks.attack.arrays_damage import ADDED, ARRAYS, FORGED
from benchmarks.attack.command import command
from benchmarks.attack.findings import Tally
from benchmarks.attack.record_damage import DAMAGED
from benchmarks.attack.victim import Victim
from benchmarks.attack.workbench import Workbench, clear

BOARD = ["leaderboard", "--results", "results"]
REPORT = ["report", "--results", "results"]
VERIFY = ["results", "verify", "--results", "results"]
MADE = ("leaderboard.csv", "leaderboard.md", "report.html")
Pages = dict[str, bytes]


def records(bench: Workbench, tally: Tally) -> None:
    """Every form of damage, each seen by ``leaderboard``, ``report`` and ``results verify``."""
    forms = {**DAMAGED, **ARRAYS, **ADDED, **FORGED}
    if not any(tally.wanted in name for name in forms):
        return
    whole, without = _pages(bench, lambda victim: None), _pages(bench, _remove)
    without_both = _pages(bench, _remove_both)
    for name, damage in forms.items():
        if not tally.takes(name):
            continue
        place = _place(bench, name)
        victim = _victim(place)
        damage(victim)
        named = "" if name in ADDED or name in FORGED else victim.record.stem
        if name not in FORGED:
            allowed = [without] if name in DAMAGED else [whole, without, without_both]
            _look(tally, place, named, allowed, rows_only=name == "arrays missing")
        expected = (0, 2) if name in ADDED or name == "arrays missing" else (2,)
        tally.judge(command(VERIFY, place), expected, victim.record.stem if expected == (2,) else "")
        if tally.clean:
            clear(place)


def _place(bench: Workbench, name: str) -> Path:
    """The good results, without what was made of them."""
    place = bench.case(name, ["results"], [])
    for made in MADE:
        (place / "work/results" / made).unlink()
    return place


def _victim(place: Path) -> Victim:
    """CAM's own map, and the baseline of the same run."""
    folder = place / "work/results/runs/clutter"
    found = [next(folder.glob(f"small_resnet-cam-seed0-{maps}-*.json")) for maps in ("cam", "features")]
    return Victim(found[0], found[0].with_suffix(".npz"), found[1], found[1].with_suffix(".npz"))


def _remove(victim: Victim) -> None:
    victim.record.unlink()
    victim.arrays.unlink()


def _remove_both(victim: Victim) -> None:
    for path in (victim.record, victim.arrays, victim.other, victim.other_arrays):
        path.unlink()


def _pages(bench: Workbench, change: Callable[[Victim], None]) -> Pages:
    """What is made of results that are good, or lack a record."""
    place = _place(bench, "pages")
    change(_victim(place))
    bench.done(BOARD, place)
    bench.done(REPORT, place)
    pages = {name: (place / "work/results" / name).read_bytes() for name in MADE}
    clear(place)
    return pages


def _look(tally: Tally, place: Path, named: str, allowed: list[Pages], *, rows_only: bool) -> None:
    """Make the board and the report, and compare each with what it may be."""
    results = place / "work/results"
    outcomes = [command(BOARD, place), command(REPORT, place)]
    for outcome, names in zip(outcomes, (MADE[:2], MADE[2:]), strict=True):
        if not tally.judge(outcome, name=named):
            continue
        for name in names:
            path = results / name
            if not path.is_file():
                tally.found("wrong figures", f"no {name} of the others: {outcome.last_line}")
            elif rows_only:
                _check_rows(tally, path, allowed)
            elif path.read_bytes() not in [pages[name] for pages in allowed]:
                tally.found("wrong figures", f"{name} is not that of the good records")
    if left := [path.name for path in results.iterdir() if path.name.startswith(".") and path.is_file()]:
        tally.found("leftovers", ", ".join(left))
    shutil.rmtree(place / "tmp")


def _check_rows(tally: Tally, path: Path, allowed: list[Pages]) -> None:
    """A page about fewer arrays lacks curves; the figures of its table are the good ones."""
    if path.suffix == ".csv":
        good = [set(map(tuple, _rows(pages[path.name]))) for pages in allowed]
        if set(map(tuple, _rows(path.read_bytes()))) not in good:
            tally.found("wrong figures", f"{path.name} has other rows than the good records")


def _rows(content: bytes) -> list[list[str]]:
    return list(csv.reader(content.decode().splitlines()))
