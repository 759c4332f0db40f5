"""The commands that are disturbed, what each needs and what may be seen of its files meanwhile."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.attack.comparison import contents
from benchmarks.attack.workbench import PREPARE, Workbench

EARLIER = "what an earlier command wrote"


@dataclass(frozen=True)
class Target:
    """A command that is disturbed, and what lies in its folder before.

    Attributes:
        name: of its cases.
        argv: its arguments.
        copied, linked: of the good things, what it needs.
        earlier: files that are there already, with other content.
    """

    name: str
    argv: list[str]
    copied: Sequence[str] = ()
    linked: Sequence[str] = ("manifest",)
    earlier: Sequence[str] = ()

    def place(self, bench: Workbench, name: str) -> Path:
        """A new place with all that the command needs."""
        place = bench.case(name, self.copied, self.linked)
        work = place / "work"
        if "older" in self.copied:
            shutil.move(work / "older/manifest", work / "manifest")
            (work / "older").rmdir()
        for file in self.earlier:
            (work / file).parent.mkdir(parents=True, exist_ok=True)
            (work / file).write_text(EARLIER)
        return place


def targets(bench: Workbench) -> dict[str, Target]:
    """The commands by name; ``prepare`` both in an empty folder and over an older manifest."""
    run = bench.run_of("cam.yaml")
    older = ["prepare", "clutter", "--size", "32", "--train", "40", "--val", "16", "--test", "9"]
    if not (bench.good / "older").is_dir():
        bench.done([*older, "--seed", "1", "--output", "older/manifest"])
    prepare = [*PREPARE, "--output", "manifest"]
    benchmark = ["benchmark", "--config", "cam.yaml", "--overlays", "2"]
    evaluate = ["evaluate", "--run", run, "--output", "scores", "--results", "scored"]
    localize = ["localize", "images", "--run", run, "--output", "found"]
    boards = ["results/leaderboard.csv", "results/leaderboard.md"]
    made = [
        Target("train", ["train", "--config", "cam.yaml"], ["cam.yaml"]),
        Target("benchmark", benchmark, ["cam.yaml"]),
        Target("prepare", prepare, linked=()),
        Target("prepare over another", prepare, ["older"], ()),
        Target("evaluate", evaluate, ["runs"]),
        Target("localize", localize, ["runs"], ["manifest", "images"], ["found/boxes.csv"]),
        Target("leaderboard", ["leaderboard", "--results", "results"], ["results"], (), boards),
        Target("report", ["report", "--results", "results"], ["results"], (), ["results/report.html"]),
    ]
    return {target.name: target for target in made}


def half_written(work: Path, allowed: Sequence[dict[str, str]]) -> list[str]:
    """Visible files that are neither as before nor as at the end; those of runs grow with the epochs."""
    return [
        name
        for name, content in contents(work).items()
        if content not in ("folder", "link")
        and not any(part.startswith(".") for part in name.split("/"))
        and not name.startswith("runs/")
        and content not in [one.get(name) for one in allowed]
    ]
