"""Two and three processes on one folder: one result, that of a single process, nothing trained twice."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.attack.child import Moment
from benchmarks.attack.command import PATIENCE, Outcome, Running, command
from benchmarks.attack.comparison import contents, differences, left_in_temporary
from benchmarks.attack.findings import Tally
from benchmarks.attack.targets import targets
from benchmarks.attack.workbench import BENCHMARK, RECIPES, Workbench, clear

TOGETHER = ("train", "prepare", "prepare over another", "evaluate", "localize", "leaderboard", "report")
TRAIN = ["train", "--config", "cam.yaml"]
FIRST_EPOCH = re.compile(r"epoch 1\b.*\bloss\b")


def duel(bench: Workbench, tally: Tally) -> None:
    """All the duels; each ends as one process alone does."""
    for processes in (2, 3):
        for name in TOGETHER:
            if tally.takes(f"{name}, {processes} together"):
                _together(bench, tally, name, processes)
    for epoch in (1, 2, 3):
        for ending in ("last.safetensors", "resume.pth", "log.csv"):
            for then, act in STOPPED.items():
                dies_at = epoch + 1 if act is _continued_then_killed else 0
                moment = Moment(signal.SIGSTOP, epoch, "os.rename", ending, dies_at)
                if tally.takes(f"train, stopped before {ending} of epoch {epoch}, {then}"):
                    _stopped_training(bench, tally, moment, act)
    for name, act in {"together": None, "one continued": _continued, "one killed": _killed}.items():
        if tally.takes(f"benchmark, two launchers, {name}"):
            _launchers(bench, tally, act)


def _together(bench: Workbench, tally: Tally, name: str, processes: int) -> None:
    """The same command several times at once."""
    target = targets(bench)[name]
    alone = target.place(bench, f"{name} alone")
    bench.done(target.argv, alone)
    end = contents(alone / "work")
    place = target.place(bench, tally.cases[-1])
    running = [Running(target.argv, place) for _ in range(processes)]
    _compare(tally, place, end, [one.wait() for one in running])
    clear(alone)


def _continued(stopped: Running, other: Callable[[], Outcome]) -> list[Outcome]:
    """The other has its turn, then the stopped one goes on."""
    met = other()
    stopped.signal(signal.SIGCONT)
    return [met, stopped.wait()]


def _killed(stopped: Running, other: Callable[[], Outcome]) -> list[Outcome]:
    """The other has its turn, the stopped one dies, and the other is given again if it was refused."""
    met = other()
    stopped.signal(signal.SIGKILL)
    stopped.wait()
    return [met, other()] if met.code else [met]


def _continued_then_killed(stopped: Running, other: Callable[[], Outcome]) -> list[Outcome]:
    """The stopped one goes on over what the other has finished, and dies in its next epoch."""
    met = other()
    stopped.signal(signal.SIGCONT)
    stopped.wait()
    return [met, other()]


def _stopped_training(
    bench: Workbench,
    tally: Tally,
    moment: Moment,
    act: Callable[[Running, Callable[[], Outcome]], list[Outcome]],
) -> None:
    """One process stops after an epoch; another comes; the first goes on or is killed."""
    place = bench.case(tally.cases[-1], ["cam.yaml"])
    running = Running(TRAIN, place, moment)
    if not running.stopped():
        tally.found("no words", f"{moment} was never met: {running.wait().last_line}")
        return
    outcomes = act(running, lambda: command(TRAIN, place))
    run = bench.run_of("cam.yaml")
    end = {name: what for name, what in contents(bench.good).items() if name.startswith(run)}
    _compare(tally, place, end, outcomes, below=run)


STOPPED = {
    "continued": _continued,
    "killed": _killed,
    "continued, then killed": _continued_then_killed,
}


def _launchers(
    bench: Workbench,
    tally: Tally,
    act: Callable[[Running, Callable[[], Outcome]], list[Outcome]] | None,
) -> None:
    """Two benchmarks of one grid; one stops in its first row and goes on, or is killed, meanwhile."""
    place = bench.case(tally.cases[-1], list(RECIPES))
    at = Moment(signal.SIGSTOP, 1, "os.rename", "resume.pth") if act else Moment()
    first = Running(BENCHMARK, place, at)
    if act and not first.stopped():
        tally.found("no words", f"{at} was never met: {first.wait().last_line}")
        return
    second = Running(BENCHMARK, place)
    if act:
        # The second has scored the row that nobody holds: it now waits for the other.
        _wait_for(place / "work/results/runs", "*-simam-*.json", second)
        first.signal(signal.SIGCONT if act is _continued else signal.SIGKILL)
    outcomes = [first.wait(), second.wait()]
    killed = outcomes[0].code == -signal.SIGKILL
    begun = sum(len(FIRST_EPOCH.findall(outcome.output + outcome.errors)) for outcome in outcomes)
    # A row whose first epoch is not saved is begun anew by who takes it over.
    expected = len(RECIPES) + killed
    if not len(RECIPES) <= begun <= expected:
        tally.found("wrong figures", f"{begun} rows begun, of {len(RECIPES)}")
    end = {
        name: what
        for name, what in contents(bench.good).items()
        if name.startswith(("runs", "results")) and name != "results/report.html"
    }
    (place / "work/results/report.html").unlink(missing_ok=True)
    _compare(tally, place, end, outcomes[killed:], below=("runs", "results"))


def _wait_for(folder: Path, pattern: str, running: Running) -> None:
    """Until a file is there, or the process has ended."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and not any(folder.rglob(pattern)) and not running.has_ended():
        time.sleep(0.02)


def _compare(
    tally: Tally,
    place: Path,
    end: dict[str, str],
    outcomes: Sequence[Outcome],
    below: str | tuple[str, ...] = "",
) -> None:
    """One at least is done, all others say why not, and the folder is as one process leaves it."""
    for outcome in outcomes:
        tally.judge(outcome)
    if all(outcome.code for outcome in outcomes):
        tally.found("wrong figures", f"none was done: {[outcome.last_line for outcome in outcomes]}")
    found = {name: what for name, what in contents(place / "work").items() if name.startswith(below)}
    wrong, extra = differences(end, found)
    if wrong:
        tally.found("wrong figures", f"{', '.join(wrong[:4])} differ")
    if extra := [*extra, *left_in_temporary(place)]:
        tally.found("leftovers", ", ".join(extra[:4]))
    if tally.clean:
        clear(place)
