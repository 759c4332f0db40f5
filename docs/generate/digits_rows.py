"""The rows of the digits tables: what each module comes to on each test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wsol.board.rows.rows import Row
from wsol.board.rows.seeds import Estimate
from wsol.board.tables.sections import Section
from wsol.data.digits.tests import GENERATOR, digits_set
from wsol.maps import PREDICTED
from wsol.pipeline.diagnosis.figures import Figure
from wsol.pipeline.diagnosis.profile import MATCHED, TRAINED

CAM, CONTROL, SMALL = "none", "plain", "small_resnet"
# Its class maps are spikes by construction: its scores are the maps to look at.
OWN_MAPS = "ltpa"


def is_digits(section: Section) -> bool:
    """Whether a table is of digits."""
    return section.place[0].split(" ")[0] == GENERATOR


def images_of(figure: Figure) -> str:
    """What the records call the images of a figure."""
    return f"{GENERATOR} {figure.images.variant}"


def own_images(figure: Figure) -> str:
    """What the records call the images that hold the training set: there top-1 is read."""
    return f"{GENERATOR} {digits_set(figure.images.test.training).variant}"


@dataclass(frozen=True)
class DigitsRows:
    """Every row by the images it was scored on, its attention and its maps."""

    rows: dict[tuple[str, str, str], Row]

    @classmethod
    def of(cls, sections: Sequence[Section]) -> DigitsRows:
        """The rows of all sections that are of digits: of one network, trained by plain CAM."""
        return cls(
            {
                # Of images without an object no map is of their class: those of the predicted one.
                (section.place[0], row["attention"], row["maps"].removesuffix(PREDICTED)): row
                for section in sections
                if is_digits(section)
                for row in section.rows
                if row["backbone"] in ("", SMALL) and row["method"] in ("", "cam")
            }
        )

    @property
    def attentions(self) -> list[str]:
        """CAM, the control, then the modules by name; ablations are no modules."""
        found = {
            attention for _, attention, _ in self.rows if attention and not self._ablated(attention)
        }
        return sorted(found, key=lambda name: (name not in (CAM, CONTROL), name))

    @property
    def ablations(self) -> list[str]:
        """Rows of RFGA with other options."""
        return sorted({attention for _, attention, _ in self.rows if self._ablated(attention)})

    def maps_of(self, attention: str) -> str:
        """The maps that a row is read by."""
        if attention != OWN_MAPS:
            return "cam"
        return next((maps for _, own, maps in self.rows if own == attention and maps != "cam"), "cam")

    def estimate(self, images: str, metric: str, attention: str, maps: str = "") -> Estimate | None:
        """Mean and deviation over the seeds; None where there is no such row."""
        row = self.rows.get((images, attention, maps or self.maps_of(attention)))
        return None if row is None else row.estimates.get(metric)

    def value(self, images: str, metric: str, attention: str) -> float | None:
        """The mean over the seeds."""
        found = self.estimate(images, metric, attention)
        return None if found is None else found.value

    def top1(self, figure: Figure, attention: str) -> float | None:
        """Accuracy on the own test of the figure's training set."""
        return self.value(own_images(figure), "top1_acc", attention)

    def comparable(self, figure: Figure, attention: str) -> bool:
        """Whether maps of this row may be compared with CAM's: they classify alike."""
        mine, cam = self.top1(figure, attention), self.top1(figure, CAM)
        if mine is None or cam is None:
            return False
        return min(mine, cam) >= TRAINED or abs(mine - cam) <= MATCHED

    @staticmethod
    def _ablated(attention: str) -> bool:
        return attention.startswith("rfga(")
