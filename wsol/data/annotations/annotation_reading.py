"""What turns up while annotations are read: wherever they come from, it is told once, together."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from wsol.data.manifest.box_conventions import RULES
from wsol.errors import UserError, suggest


@dataclass
class Reading:
    """One pass over all sources of annotations.

    Attributes:
        corners: the rule (`corners.RULES`) by which they write corners; None is each format's own.
        images: PNG files, resolved, that are images of the set: these are no masks.
        findings: what is wrong, a line each.
        notes: what a user should know, a line each.
        writes_corners: whether any source so far gives its boxes by corners.
    """

    corners: str | None = None
    images: frozenset[Path] = frozenset()
    findings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    writes_corners: bool = False

    def __post_init__(self) -> None:
        if self.corners is not None and self.corners not in RULES:
            raise UserError(f"unknown rule for corners {self.corners!r}{suggest(self.corners, RULES)}")

    def rule(self, default: str) -> str:
        """How a source with corners writes them, ``default`` being its format's way."""
        self.writes_corners = True
        return self.corners or default

    def check(self) -> None:
        """After the last source. ``UserError`` lists everything that is wrong."""
        self.check_corners()
        if self.findings:
            raise UserError.of(self.findings)

    def check_corners(self) -> None:
        """After the last source: a rule for corners that none has is a finding."""
        if self.corners is not None and not self.writes_corners:
            self.findings.append(
                f"--corners {self.corners} has nothing to apply to: COCO JSON, tables of x, y, width, "
                "height and masks have no corners; leave it out"
            )
