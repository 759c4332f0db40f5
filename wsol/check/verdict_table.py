"""The verdict as tables for people."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from wsol.check.added_cost import Cost
from wsol.check.network_checks import EPOCH
from wsol.check.verdict import Verdict


def show(verdict: Verdict, console: Console) -> None:
    """Print a line for each check, the costs, and what it comes to."""
    table = Table(
        title=f"{verdict.name}: {verdict.insertion} in {verdict.backbone}", title_justify="left"
    )
    for column in ("check", "", "expected", "found"):
        table.add_column(column, overflow="fold")
    for finding in verdict.findings:
        word = "[green]PASS[/]" if finding.passed else "[bold red]FAIL[/]"
        table.add_row(finding.check, word, finding.expected, finding.found)
    console.print(table)
    if verdict.costs:
        console.print(_costs(verdict))
    elif all(finding.check != EPOCH for finding in verdict.findings):
        console.print("in the network, its cost, an epoch: not run before the module alone passes")
    passed = sum(finding.passed for finding in verdict.findings)
    word = "keeps the contract" if not verdict.failures else "breaks the contract"
    console.print(f"{verdict.name} {word}: {passed} of {len(verdict.findings)} checks passed")


def _costs(verdict: Verdict) -> Table:
    assert verdict.costs is not None
    bare, attended = verdict.costs
    where = f"cost at {', '.join(verdict.places)}"
    batch = f"{verdict.batch} images of {verdict.input_size} pixels"
    table = Table(title=f"{where}, {batch}", title_justify="left")
    for column in ("", "bare", "with it", "added"):
        table.add_column(column, justify="left" if not column else "right")
    for label, field, digits in ROWS:
        before, after = (getattr(cost, field) for cost in (bare, attended))
        table.add_row(
            label,
            *(f"{value:,.{digits}f}" for value in (before, after)),
            _added(before, after, digits, _noise(bare, field) + _noise(attended, field)),
        )
    return table


def _added(before: float, after: float, digits: int, noise: float) -> str:
    """The difference; where it is no larger than the times differ among themselves, that is said."""
    if noise and abs(after - before) <= noise:
        return f"within the noise of {noise:.1f}"
    share = f" ({100 * (after - before) / before:+.1f} %)" if before else ""
    return f"{after - before:,.{digits}f}{share}"


def _noise(cost: Cost, field: str) -> float:
    return getattr(cost, field.replace("_ms", "_noise_ms"), 0.0) if field.endswith("_ms") else 0.0


ROWS = (
    ("parameters", "params", 0),
    ("GFLOPs (multiply-adds) an image", "gflops", 4),
    ("forward ms", "forward_ms", 1),
    ("backward ms", "backward_ms", 1),
    ("MB kept for the backward pass", "saved_mb", 1),
)
