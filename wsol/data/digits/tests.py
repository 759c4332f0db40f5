"""The tests: what each shows, by which dial, and on which of three training sets it is scored."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from wsol.errors import UserError, suggest

GENERATOR, VERSION = "digits", 1

Dial = float | int | str


@dataclass(frozen=True)
class Option:
    """An option of a test: its ``default``, the ``values`` it may have, and what it says."""

    default: Dial
    values: tuple[Dial, ...]
    help: str


@dataclass(frozen=True)
class DigitsTest:
    """One test.

    Attributes:
        name: of the test; ``number`` goes into its seeds.
        training: the training set whose networks it is for.
        exposes: what a low figure says.
        options: its dial first, then what else it knows.
    """

    name: str
    number: int
    training: str
    exposes: str
    options: Mapping[str, Option] = field(default_factory=dict)


TAUGHT = ("base", "parts")  # can be trained at each setting; context is, at each share
DISTRACTORS = 2  # in every image where a test does not say otherwise
SIDES = {12: (10, 14), 21: (19, 23), 30: (28, 32), 40: (37, 43), 49: (46, 52)}  # of 64

TESTS: dict[str, DigitsTest] = {
    test.name: test
    for test in (
        DigitsTest(
            "base",
            1,
            "base",
            "maps of anything bright",
            {"distractors": Option(DISTRACTORS, (0, 1, 2, 3, 4), "objects of no class an image")},
        ),
        DigitsTest(
            "company",
            2,
            "base",
            "class-agnostic maps",
            {"companions": Option(1, (0, 1, 2), "objects of other classes an image")},
        ),
        DigitsTest(
            "scale",
            3,
            "base",
            "coarse grids, one threshold for all sizes",
            {"side": Option(0, (0, *SIDES), "side of the object in pixels of 64; 0 is a fifth of each")},
        ),
        DigitsTest(
            "several",
            4,
            "base",
            "merged blobs, largest-contour rules",
            {
                "instances": Option(3, (1, 2, 3, 4), "objects of the class an image"),
                "spacing": Option("apart", ("apart", "touching"), "a map cell apart, or touching"),
            },
        ),
        DigitsTest("none", 5, "base", "localizers that cannot say no"),
        DigitsTest(
            "parts",
            6,
            "parts",
            "only the part that decides the class is lit",
            {"share": Option(0.5, (0.25, 0.5, 0.75), "deciding part over whole box")},
        ),
        DigitsTest(
            "context",
            7,
            "context",
            "maps that light the context",
            {
                "share": Option(
                    0.9, (0.5, 0.8, 0.9, 0.95), "share of training images whose texture is the class's"
                ),
                "texture": Option(
                    "correlated",
                    ("correlated", "uncorrelated"),
                    "of the scored images: as in training, or drawn without regard to the class",
                ),
            },
        ),
    )
}


@dataclass(frozen=True)
class DigitsSet:
    """A test at one setting of its options: one manifest.

    Attributes:
        taught: training images are drawn at this setting as well, a training set of its own.
    """

    test: DigitsTest
    options: Mapping[str, Dial]
    taught: bool = False

    def __getitem__(self, name: str) -> Any:
        return self.options[name]

    @property
    def trains(self) -> bool:
        """Whether this is the manifest that holds the training images."""
        own = {name: self.options[name] for name in self.defaults}
        return self.taught or (self.test.name == self.test.training and own == self.defaults)

    @property
    def defaults(self) -> dict[str, Dial]:
        """The setting that the test's training set is drawn at."""
        return {
            name: option.default
            for name, option in self.test.options.items()
            if (self.test.name, name) != ("context", "share")  # each share is a training of its own
        }

    @property
    def training(self) -> dict[str, Dial]:
        """What the training set is: its name, and the setting where that is another training."""
        own = {"share": self.options["share"]} if self.test.training == "context" else {}
        return {"set": self.test.training, **(self.options if self.taught else own)}

    @property
    def variant(self) -> str:
        """What tables call it after the generator's name: ``several 3 apart``."""
        return " ".join([self.test.name, *map(str, self.options.values()), *["taught"] * self.taught])


def digits_set(name: str, **given: Dial | None) -> DigitsSet:
    """The test ``name`` at the options given, those that are None at their defaults.

    Raises:
        UserError: there is no such test, or no such option of it; a value that it does not have.
    """
    if name not in TESTS:
        raise UserError(f"--test {name}: no such test{suggest(name, TESTS)}")
    test = TESTS[name]
    for option, value in given.items():
        if value is None:
            continue
        if option not in test.options:
            known = ", ".join(f"--{own}" for own in test.options) or "none"
            raise UserError(f"--{option} {value}: the test {name} has no such option; its own: {known}")
        if value not in test.options[option].values:
            allowed = ", ".join(str(each) for each in test.options[option].values)
            raise UserError(f"--{option} {value}: the test {name} has {allowed}")
    chosen = {
        option: own.default if given.get(option) is None else given[option]
        for option, own in test.options.items()
    }
    return DigitsSet(test, chosen)  # type: ignore[arg-type]


def with_training(digits: DigitsSet) -> DigitsSet:
    """The same with training images at this very setting alone; unchanged where it has them already.

    ``UserError`` for a test whose networks are those of another.
    """
    if digits.test.name not in TAUGHT:
        raise UserError(
            f"--taught: the test {digits.test.name} has no training of its own; "
            f"{' and '.join(TAUGHT)} have"
        )
    # The usual training of parts has all shares: that of any one is another.
    if digits.trains and digits.test.name != "parts":
        return digits
    return dataclasses.replace(digits, taught=True)
