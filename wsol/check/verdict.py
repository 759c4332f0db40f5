"""The whole check of one attention module, and its verdict."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wsol.check.added_cost import Cost, measure
from wsol.check.finding import Finding, attempted
from wsol.check.module_checks import check_contract
from wsol.check.network_checks import (
    EPOCH,
    build,
    check_network,
    module_under_check_in,
    one_epoch,
    recipe_of,
)
from wsol.models.localizer import Localizer
from wsol.recipe import AttentionSettings, Recipe

# Images that the costs are measured with.
COST_BATCH = 4


@dataclass(frozen=True)
class Verdict:
    """All findings, and the costs of the bare network and of the one with the module (None: not run).

    ``places`` are where the module went, ``batch`` and ``input_size`` what the costs were measured at.
    """

    name: str
    insertion: str
    backbone: str
    places: tuple[str, ...]
    findings: tuple[Finding, ...]
    costs: tuple[Cost, Cost] | None
    batch: int
    input_size: int

    @property
    def failures(self) -> list[str]:
        """A line for each check that failed."""
        return [f"{self.name}: {finding.line}" for finding in self.findings if not finding.passed]


def check_attention(
    name: str,
    options: Mapping[str, Any] | None = None,
    *,
    backbone: str = "resnet18",
    at: Sequence[str] = (),
    input_size: int = 112,
    compiled: bool = False,
) -> Verdict:
    """Run the contract on ``name``, a registered name or ``package.module:Class``.

    The bare module first, with the shapes it meets in the backbone; then, where it passed, the network
    with it, its costs over the bare network, and an epoch on a small clutter.

    Raises:
        UserError: an unknown name, option or backbone, a stage that the backbone lacks, a module that
            cannot be built.
    """
    recipe = recipe_of(name, options or {}, backbone, at, input_size)
    localizer = build(recipe)
    checked = module_under_check_in(localizer, recipe)
    findings = check_contract(checked, compiled=compiled)
    costs = None
    # A module that does not keep to the contract alone would only fail again, and less clearly.
    if all(finding.passed for finding in findings):
        inside, costs = _in_the_network(localizer, recipe)
        findings += inside
    return Verdict(
        name=recipe.attention.label,
        insertion=checked.insertion,
        backbone=backbone,
        places=tuple(checked.shapes),
        findings=tuple(findings),
        costs=costs,
        batch=COST_BATCH,
        input_size=input_size,
    )


def _in_the_network(
    localizer: Localizer, recipe: Recipe
) -> tuple[list[Finding], tuple[Cost, Cost] | None]:
    """The findings on the network with the module in it, and the costs of the bare and of this one."""
    bare = build(dataclasses.replace(recipe, attention=AttentionSettings()))
    network = attempted("in the network", lambda: check_network(localizer, recipe))
    findings = [network] if isinstance(network, Finding) else network
    # FLOPs are counted on shapes alone, as every run's record does: some modules refuse that.
    measured = attempted("cost", lambda: measure([bare, localizer], recipe.data.input_size, COST_BATCH))
    epoch = attempted(EPOCH, lambda: one_epoch(recipe))
    if isinstance(measured, Finding):
        return [*findings, measured, epoch], None
    return [*findings, epoch], (measured[0], measured[1])
