"""kill -9 at random moments, then the same command again: as if nothing had happened.

Half of the moments are drawn over the undisturbed command's time, half over its file operations, where
a time hardly ever falls.
"""

from __future__ import annotations

import signal
from pathlib import Path

from benchmarks.attack.child import Moment
from benchmarks.attack.command import Outcome, command, killed_after
from benchmarks.attack.comparison import contents, differences, left_in_temporary
from benchmarks.attack.findings import Tally
from benchmarks.attack.targets import Target, half_written, targets
from benchmarks.attack.workbench import Workbench, clear

# How often each command is killed; the two kinds of `prepare` share its moments.
MOMENTS = {
    "train": 30,
    "benchmark": 30,
    "prepare": 15,
    "prepare over another": 15,
    "report": 30,
    "localize": 30,
}


def kills(bench: Workbench, tally: Tally) -> None:
    """Kill each command at its moments."""
    for target in targets(bench).values():
        names = [f"{target.name} {number:02d}" for number in range(MOMENTS.get(target.name, 0))]
        if not any(tally.wanted in name for name in names):
            continue
        place = target.place(bench, f"{target.name} undisturbed")
        whole = bench.done(target.argv, place)
        end = contents(place / "work")
        clear(place)
        for number, name in enumerate(names):
            if tally.takes(name):
                _case(bench, tally, target, whole, end, at_operation=number % 2 == 1)


def _case(
    bench: Workbench,
    tally: Tally,
    target: Target,
    whole: Outcome,
    end: dict[str, str],
    *,
    at_operation: bool,
) -> None:
    """Kill, look at what is visible, give the command again, compare with ``end``."""
    place = target.place(bench, tally.cases[-1])
    before = contents(place / "work")
    when = _kill(bench, tally, target, whole, place, at_operation=at_operation)
    if half := half_written(place / "work", [before, end]):
        tally.found("wrong figures", f"{when}: {', '.join(half[:4])} are neither old nor new")
    if target.name == "prepare over another":
        _read(tally, place, [before, end], when)
    tally.judge(command(target.argv, place), (0,))
    wrong, extra = differences(end, contents(place / "work"))
    if wrong:
        tally.found("wrong figures", f"{when}, given again: {', '.join(wrong[:4])} differ")
    if extra := [*extra, *left_in_temporary(place)]:
        tally.found("leftovers", f"{when}, given again: {', '.join(extra[:4])}")
    if tally.clean:
        clear(place)


def _kill(
    bench: Workbench, tally: Tally, target: Target, whole: Outcome, place: Path, *, at_operation: bool
) -> str:
    """Run the command and kill it at a moment that is drawn; which, in words."""
    draws = bench.draws(tally.cases[-1])
    if at_operation:
        moment = Moment(signal.SIGKILL, int(draws.integers(1, whole.operations + 1)))
        killed = command(target.argv, place, moment)
        when = f"killed at operation {moment.count} of {whole.operations}"
    else:
        seconds = float(draws.uniform(0, whole.seconds))
        killed = killed_after(target.argv, place, seconds)
        when = f"killed after {seconds:.2f} of {whole.seconds:.2f} s"
    if killed.code != -signal.SIGKILL or killed.hung:
        tally.judge(killed, (0,))
    return when


def _read(tally: Tally, place: Path, allowed: list[dict[str, str]], when: str) -> None:
    """Who reads the manifest now gets all of the old one or all of the new one."""
    seen, *whole = (
        {name: content for name, content in one.items() if name.startswith("manifest")}
        for one in (contents(place / "work"), *allowed)
    )
    outcome = command(["data", "check", "manifest"], place)
    tally.judge(outcome)
    (place / "work/manifest/check.json").unlink(missing_ok=True)  # what that has written
    if outcome.code == 0 and seen not in whole:
        tally.found("wrong figures", f"{when}: a manifest that is half old, half new is read")
