"""The tests of a diagnosis, and the figure of each by which rows are compared, declared beforehand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from wsol.data.digits.tests import TESTS, DigitsSet, digits_set


@dataclass(frozen=True)
class Figure:
    """A test's primary figure.

    Attributes:
        test: the test.
        key: of the metric.
        options: of the test's images, where they are not the defaults.
        better: whether rows are better where it is ``high`` or ``low``.
    """

    test: str
    key: str
    options: Mapping[str, float | int | str] = field(default_factory=dict)
    better: str = "high"

    @property
    def images(self) -> DigitsSet:
        """The images on which it is read."""
        return digits_set(self.test, **self.options)


# The family of a diagnosis: one comparison with CAM for each, and Holm's correction over them.
PRIMARY = (
    Figure("base", "max_box_acc@0.5"),
    Figure("company", "max_box_acc@0.5"),
    # At .5 an ideal map of 8 x 8 cells loses nothing, so a low figure would not name a coarse grid.
    Figure("scale", "max_box_acc@0.7"),
    Figure("several", "instance_f1@0.5"),
    Figure("none", "map_auroc"),
    Figure("parts", "max_box_acc@0.7"),
    Figure("context", "auc_context_over_ground", better="low"),
)

# Beside them, of rows that are looked at closely: descriptive.
CLOSELY = (
    Figure("several", "instance_f1@0.5", {"spacing": "touching"}),
    Figure("context", "auc_context_over_ground", {"texture": "uncorrelated"}, better="low"),
)

TRAINING_SETS = ("base", "parts", "context")


def images_of(training: str, *, full: bool) -> list[DigitsSet]:
    """The images that networks of a training set are scored on, those that hold the training first.

    ``full``: every setting of each dial; otherwise the primary ones, and both textures of `context`.
    """
    found = [digits_set(training)]
    for test in (test for test in TESTS.values() if test.training == training):
        for name, option in test.options.items():
            # Each share of context is a training of its own.
            all_of_it = full and (test.name, name) != ("context", "share")
            wanted = all_of_it or name == "texture"
            values = option.values if wanted else (option.default,)
            found += [digits_set(test.name, **{name: value}) for value in values]
        found.append(digits_set(test.name))
    return list({one.variant: one for one in found}.values())
