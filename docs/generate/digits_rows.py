"""The rows of the digits tables: what each module comes to on each test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from wsol.attention import ATTENTION
from wsol.board.rows.rows import Row
from wsol.board.rows.seeds import Estimate
from wsol.board.tables.sections import Section
from wsol.data.digits.tests import GENERATOR, digits_set
from wsol.maps import PREDICTED
from wsol.pipeline.diagnosis.figures import CLOSELY, PRIMARY, Figure
from wsol.pipeline.diagnosis.profile import MATCHED, TRAINED
from wsol.pipeline.digits_recipes import row_name

CAM, CONTROL = "none", "plain"
# wsolevaluation's, in its order; ADL is a module, and stands among them too.
METHODS = ("has", "cutmix", "acol", "spg", "adl")
# Attention that is the half of a system: its rows stand with the systems.
OF_SYSTEMS = ("dvan", "hourglass", "stn")
# Its class maps are spikes by construction: its scores are the maps to look at.
OWN_MAPS = "ltpa"
# What most rows are trained in, and what others are: not every CPU computes bf16.
USUAL, FLOAT32 = "bf16-mixed", "32-true"

Place = tuple[str, str, str]


def name_of(row: Row) -> str:
    """What the row is called."""
    return row_name(row["backbone"], row["attention"], row["method"])


def precision_of(row: Row) -> str:
    """What the row's network was trained in; empty where there is none."""
    training = row.records[0].recipe["what"].get("training")
    return str(training.get("precision", "")) if isinstance(training, Mapping) else ""


def is_digits(section: Section) -> bool:
    """Whether a table is of digits."""
    return section.place[0].split(" ")[0] == GENERATOR


def is_of_tests(section: Section) -> bool:
    """Whether a table is of the images of a test, as all rows of the tables of digits are."""
    return section.place[0] in {images_of(figure) for figure in (*PRIMARY, *CLOSELY)}


def images_of(figure: Figure) -> str:
    """What the records call the images of a figure."""
    return f"{GENERATOR} {figure.images.variant}"


def own_images(figure: Figure) -> str:
    """What the records call the images that hold the training set: there top-1 is read."""
    return f"{GENERATOR} {digits_set(figure.images.test.training).variant}"


@dataclass(frozen=True)
class DigitsRows:
    """Every row by the images it was scored on, its name (`row_name`) and its maps.

    A row that was trained in both precisions is that of `USUAL`; ``in_float32`` has all of the other.
    """

    rows: dict[Place, Row]
    in_float32: dict[Place, Row] = field(default_factory=dict)

    @classmethod
    def of(cls, sections: Sequence[Section]) -> DigitsRows:
        """The rows of all sections that are of the tests of digits."""
        usual: dict[Place, Row] = {}
        in_float32: dict[Place, Row] = {}
        for section in filter(is_of_tests, sections):
            for row in section.rows:
                # Of images without an object no map is of their class: those of the predicted one.
                place = section.place[0], name_of(row), row["maps"].removesuffix(PREDICTED)
                (in_float32 if precision_of(row) == FLOAT32 else usual)[place] = row
        return cls(in_float32 | usual, in_float32)

    @property
    def attentions(self) -> list[str]:
        """CAM, the control, then the modules by name; ablations are no modules, nor are systems."""
        found = {name for _, name, _ in self.rows if self._is_module(name)}
        return sorted(found, key=lambda name: (name not in (CAM, CONTROL), name))

    @property
    def methods(self) -> list[str]:
        """CAM, then the reference's methods that have rows; each goes by its options too."""
        order = (CAM, *METHODS)
        there = {name for _, name, _ in self.rows if name.partition("(")[0] in order}
        return sorted(there, key=lambda name: order.index(name.partition("(")[0]))

    @property
    def systems(self) -> list[str]:
        """All other rows: networks of their own, and methods around modules."""
        others = {name for _, name, _ in self.rows if name and not self._ablated(name)}
        return sorted(others.difference(self.attentions, self.methods))

    @property
    def ablations(self) -> list[str]:
        """Rows of RFGA with other options."""
        return sorted({name for _, name, _ in self.rows if self._ablated(name)})

    def maps_of(self, attention: str) -> str:
        """The maps that a row is read by."""
        found = sorted({maps for _, own, maps in self.rows if own == attention})
        if attention.partition(",")[0] != OWN_MAPS and ("cam" in found or not found):
            return "cam"
        return next((maps for maps in found if maps != "cam"), "cam")

    def precision(self, images: str, attention: str) -> str:
        """What the row's network was trained in."""
        place = images, attention, self.maps_of(attention)
        row = self.rows.get(place)
        return FLOAT32 if row is not None and row is self.in_float32.get(place) else USUAL

    @property
    def in_both(self) -> list[str]:
        """Rows that were trained in either precision, CAM and the control first."""
        both = {place[1] for place, row in self.in_float32.items() if self.rows[place] is not row}
        return [name for name in self.attentions if name in both]

    def estimate(
        self, images: str, metric: str, attention: str, maps: str = "", precision: str = ""
    ) -> Estimate | None:
        """Mean and deviation over the seeds; None where there is no such row."""
        rows = self.in_float32 if precision == FLOAT32 else self.rows
        row = rows.get((images, attention, maps or self.maps_of(attention)))
        return None if row is None else row.estimates.get(metric)

    def value(self, images: str, metric: str, attention: str, precision: str = "") -> float | None:
        """The mean over the seeds."""
        found = self.estimate(images, metric, attention, precision=precision)
        return None if found is None else found.value

    def top1(self, figure: Figure, attention: str, precision: str = "") -> float | None:
        """Accuracy on the own test of the figure's training set."""
        return self.value(own_images(figure), "top1_acc", attention, precision)

    def comparable(self, figure: Figure, attention: str, against: str = CAM) -> bool:
        """Whether maps of two rows of one precision may be compared: they classify alike."""
        precision = self.precision(images_of(figure), attention)
        mine, other = (self.top1(figure, name, precision) for name in (attention, against))
        if mine is None or other is None:
            return False
        return min(mine, other) >= TRAINED or abs(mine - other) <= MATCHED

    @staticmethod
    def _ablated(name: str) -> bool:
        return name.startswith("rfga(")

    def _is_module(self, name: str) -> bool:
        module = name.partition("(")[0]
        known = module == CAM or (module in ATTENTION and module not in OF_SYSTEMS)
        return known and not self._ablated(name)
