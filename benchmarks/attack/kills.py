"""kill -9 at random moments, then the same command again: as if nothing had happened.

Half of the moments are drawn over the undisturbed command's time, half over its file operations, where
a time hardly ever falls.
"""

from __future__ import annotations

import shutil
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.attack.child import Moment
from benchmarks.attack.command import Outcome, command, killed_after
from benchmarks.attack.comparison import contents, differences
from benchmarks.attack.findings import Tally
from benchmarks.attack.workbench import PREPARE, Workbench, clear

MOMENTS = 30
TRIES = 3  # the command is given again until it is done, so often at most


@dataclass(frozen=True)
class Target:
    """A command that is killed, and what lies in its folder before.

    Attributes:
        name: of its cases.
        argv: its arguments.
        copied, linked: of the good things, what it needs.
        grows: a folder whose files change from epoch to epoch; all others are old or new, never between.
    """

    name: str
    argv: list[str]
    copied: Sequence[str] = ()
    linked: Sequence[str] = ("manifest",)
    grows: str = "runs/"


def targets(bench: Workbench) -> list[Target]:
    """The commands that are killed; ``prepare`` both in an empty folder and over an older manifest."""
    run = bench.run_of("cam.yaml")
    localize = ["localize", "images", "--run", run, "--output", "found"]
    again = ["prepare", "clutter", "--size", "32", "--train", "40", "--val", "16", "--test", "9"]
    older = bench.place / "work" / "older"
    if not older.is_dir():
        bench.done([*again, "--seed", "1", "--output", "older/manifest"])
    prepare = [*PREPARE, "--output", "manifest"]
    return [
        Target("train", ["train", "--config", "cam.yaml"], ["cam.yaml"]),
        Target("benchmark", ["benchmark", "--config", "cam.yaml", "--overlays", "2"], ["cam.yaml"]),
        Target("prepare", prepare, linked=()),
        Target("prepare over another", prepare, ["older"], linked=()),
        Target("report", ["report", "--results", "results"], ["results"]),
        Target("localize", localize, ["runs"], ["manifest", "images"]),
    ]


def kills(bench: Workbench, tally: Tally) -> None:
    """Kill each command `MOMENTS` times; the two kinds of ``prepare`` share them."""
    for target in targets(bench):
        moments = MOMENTS // 2 if target.name.startswith("prepare") else MOMENTS
        names = [f"{target.name} {number:02d}" for number in range(moments)]
        if not any(tally.wanted in name for name in names):
            continue
        place = _place(bench, target, f"{target.name} undisturbed")
        whole = bench.done(target.argv, place)
        end = contents(place / "work")
        for number, name in enumerate(names):
            if tally.takes(name):
                _kill(bench, tally, target, whole, end, at_operation=number % 2 == 1)
        clear(place)


def _place(bench: Workbench, target: Target, name: str) -> Path:
    place = bench.case(name, target.copied, target.linked)
    if target.name == "report":
        (place / "work/results/report.html").unlink(missing_ok=True)
    if "older" in target.copied:
        shutil.move(place / "work/older/manifest", place / "work/manifest")
        (place / "work/older").rmdir()
    return place


def _kill(
    bench: Workbench,
    tally: Tally,
    target: Target,
    whole: Outcome,
    end: dict[str, str],
    *,
    at_operation: bool,
) -> None:
    """One case: kill, look at what is visible, give the command again, compare with ``end``."""
    case = tally.cases[-1]
    place, draws = _place(bench, target, case), bench.draws(case)
    work = place / "work"
    before = contents(work)
    if at_operation:
        moment = Moment(signal.SIGKILL, int(draws.integers(1, whole.operations + 1)))
        when = f"at operation {moment.count} of {whole.operations}"
        killed = command(target.argv, place, moment)
    else:
        seconds = float(draws.uniform(0, whole.seconds))
        when = f"after {seconds:.2f} of {whole.seconds:.2f} s"
        killed = killed_after(target.argv, place, seconds)
    if killed.code not in (0, -signal.SIGKILL):
        tally.judge(killed, (0, -signal.SIGKILL))
    _look(tally, target, place, [before, end], when)
    for _ in range(TRIES):
        outcome = command(target.argv, place)
        if not tally.judge(outcome, (0,)) or outcome.code == 0:
            break
    wrong, extra = differences(end, contents(work))
    if wrong:
        tally.found("wrong figures", f"killed {when}, given again: {', '.join(wrong[:4])} differ")
    if extra := [*extra, *(f"TMPDIR/{name}" for name in contents(place / "tmp"))]:
        tally.found("leftovers", f"killed {when}, given again: {', '.join(extra[:4])}")
    if tally.clean:
        clear(place)


def _look(
    tally: Tally, target: Target, place: Path, allowed: list[dict[str, str]], when: str
) -> None:
    """Right after the kill each visible file is as before or as at the end, a manifest as a whole."""
    seen = {
        name: content
        for name, content in contents(place / "work").items()
        if content not in ("folder", "link") and not any(p.startswith(".") for p in name.split("/"))
    }
    half = [
        name
        for name, content in seen.items()
        if not name.startswith(target.grows) and content not in [one.get(name) for one in allowed]
    ]
    if half:
        tally.found("wrong figures", f"killed {when}: {', '.join(half[:4])} are neither old nor new")
    if target.name == "prepare over another":
        manifest = {name: content for name, content in seen.items() if name.startswith("manifest/")}
        whole = [{k: v for k, v in one.items() if k in manifest} for one in allowed]
        complete = any(
            manifest == one and len(one) == sum(c != "folder" for n, c in every.items() if "manifest/" in n)
            for one, every in zip(whole, allowed, strict=True)
        )
        read = command(["data", "check", "manifest"], place)
        tally.judge(read)
        if read.code == 0 and not complete:
            tally.found("wrong figures", f"killed {when}: a manifest that is half old, half new is read")
