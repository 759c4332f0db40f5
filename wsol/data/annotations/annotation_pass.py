"""Reading annotations from several files as one pass: what is wrong with any is reported together."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from wsol.data.annotations.mask_values import MaskValues
from wsol.data.manifest.box_conventions import BOX_CONVENTIONS
from wsol.errors import UserError, suggest

NO_MASKS = "has nothing to apply to: no masks in files were given; leave it out"


@dataclass
class AnnotationPass:
    """One pass over all sources of annotations.

    Attributes:
        corners: how all sources write corners, a key of `BOX_CONVENTIONS`; None: each as its format.
        images: resolved paths of the PNG files that are images of the set and therefore not masks.
        findings: what is wrong, a line each.
        notes: what a user should know, a line each.
        writes_corners: whether any source so far gives its boxes by corners.
        mask_values: what the values of mask files mean; None: all but 0 and void are the object.
        reads_masks: whether any source so far has masks in files.
        category_names: name of each class by the number that COCO's sources give it.
        side: which of two sides it reads, as options call it: ``prediction``, ``annotation``; or none.
        lists_only_found: whether a source names only images in which something was found, as COCO's
            results do: nothing was found in those it does not name.
    """

    corners: str | None = None
    images: frozenset[Path] = frozenset()
    findings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    writes_corners: bool = False
    mask_values: MaskValues | None = None
    reads_masks: bool = False
    category_names: dict[str, str] = field(default_factory=dict)
    side: str = ""
    lists_only_found: bool = False

    def __post_init__(self) -> None:
        if self.corners is not None and self.corners not in BOX_CONVENTIONS:
            near = suggest(self.corners, BOX_CONVENTIONS)
            raise UserError(f"unknown convention for corners {self.corners!r}{near}")

    def option(self, name: str) -> str:
        """The option ``name`` as it is typed for this side: ``--prediction-corners``."""
        return f"--{self.side}-{name}" if self.side else f"--{name}"

    def convention(self, default: str) -> str:
        """How a source writes its corners, a key of `BOX_CONVENTIONS`; ``default`` is its format's."""
        self.writes_corners = True
        return self.corners or default

    @property
    def shares(self) -> bool:
        """Whether boxes were declared to be shares of the image's sides; whoever asks has boxes."""
        if self.corners != "shares":
            return False
        self.writes_corners = True
        return True

    def check(self) -> None:
        """After the last source. ``UserError`` lists everything that is wrong."""
        self.check_options()
        if self.findings:
            raise UserError.of(self.findings)

    def check_options(self) -> None:
        """After the last source: what was said of corners or masks where no source has any."""
        self.check_corners()
        if self.mask_values is not None and not self.reads_masks:
            self.findings.append(f"--mask-values {NO_MASKS}")

    def check_corners(self) -> None:
        """After the last source: a convention for corners where no source has any is a finding."""
        if self.corners is not None and not self.writes_corners:
            self.findings.append(
                f"--corners {self.corners} has nothing to apply to: COCO JSON, tables of x, y, width, "
                "height and masks have no corners; leave it out"
            )
