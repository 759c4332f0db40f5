"""What the values of masks mean where it is declared: ``object=1-20 ignore=255``, or class names."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from wsol.errors import UserError
from wsol.files.pictures.pixel_values import FileValues

OBJECT, IGNORE, BACKGROUND = "object", "ignore", "background"  # names that are no classes
HELP = (
    "what the pixels of mask files are, e.g. object=1-20 ignore=255, or by class: cat=8 dog=12, or by "
    "colour: object=#e04020; several by commas; palette indices, grey values, or colours; what is not "
    "named is background. Default: all but 0 is the object; in palette images 255 is void, not scored; "
    "of .jpg what is at least half bright"
)
_NUMBERS = re.compile(r"(-?\d{1,9})(?:-(\d{1,9}))?")
_COLOUR = re.compile(r"#([0-9a-fA-F]{6})")


@dataclass(frozen=True)
class PixelValues:
    """Values of pixels: inclusive ranges of ``numbers``, and ``colours`` as 0xRRGGBB."""

    numbers: tuple[tuple[int, int], ...] = ()
    colours: tuple[int, ...] = ()

    def among(self, read: FileValues) -> np.ndarray:
        """Which pixels of a file are meant; (height, width) bool."""
        numbers, colours = read
        first = numbers if numbers is not None else colours
        assert first is not None
        found = np.zeros(first.shape, bool)
        if numbers is not None:
            for low, high in self.numbers:
                found |= (numbers == low) if low == high else (numbers >= low) & (numbers <= high)
        if colours is not None and self.colours:
            found |= np.isin(colours, self.colours)
        return found

    def single(self) -> Iterator[tuple[str, PixelValues]]:
        """Each range and each colour by itself, with its text."""
        for low, high in self.numbers:
            yield (f"{low}" if low == high else f"{low}-{high}"), PixelValues(((low, high),))
        for colour in self.colours:
            yield f"#{colour:06x}", PixelValues((), (colour,))


@dataclass(frozen=True)
class MaskValues:
    """The declared values by their names: `OBJECT`, `IGNORE`, `BACKGROUND` and classes."""

    names: tuple[tuple[str, PixelValues], ...]

    @classmethod
    def parse(cls, given: Sequence[str]) -> MaskValues:
        """Of texts ``NAME=VALUE,VALUE-VALUE,#RRGGBB``; ``UserError`` lists what is wrong."""
        findings: list[str] = []
        names: dict[str, PixelValues] = {}
        for text in given:
            name, equals, values = text.rpartition("=")
            name = name.strip()
            if not (name and equals):
                findings.append(f"--mask-values {text}: write NAME=VALUES, e.g. object=1-20 ignore=255")
                continue
            read = _values(values, text, findings)
            known = names.get(name, PixelValues())
            names[name] = PixelValues(known.numbers + read.numbers, known.colours + read.colours)
        if not findings:
            findings += _twice(names)
        if not findings and not set(names) - {IGNORE, BACKGROUND}:
            findings.append(f"--mask-values {' '.join(given)}: nothing is an object; name it: object=1")
        if findings:
            raise UserError.of(findings)
        return cls(tuple(names.items()))

    @property
    def colours(self) -> bool:
        """Whether any colour is declared."""
        return any(values.colours for _, values in self.names)


def _values(text: str, whole: str, findings: list[str]) -> PixelValues:
    numbers, colours = [], []
    for part in map(str.strip, text.split(",")):
        if colour := _COLOUR.fullmatch(part):
            colours.append(int(colour[1], 16))
        elif (found := _NUMBERS.fullmatch(part)) and int(found[1]) <= int(found[2] or found[1]):
            numbers.append((int(found[1]), int(found[2] or found[1])))
        else:
            findings.append(
                f"--mask-values {whole}: {part!r} is no value; write 7, a range 1-20 or a colour #e04020"
            )
    return PixelValues(tuple(numbers), tuple(colours))


def _twice(names: dict[str, PixelValues]) -> list[str]:
    """A value that two names claim."""
    ranges = sorted((low, high, name) for name, values in names.items() for low, high in values.numbers)
    found = [
        f"--mask-values: {low} is both {first} and {name}"
        for (_, end, first), (low, _, name) in itertools.pairwise(ranges)
        if low <= end and first != name
    ]
    owners: dict[int, str] = {}
    return found + [
        f"--mask-values: #{colour:06x} is both {owners[colour]} and {name}"
        for name, values in names.items()
        for colour in values.colours
        if owners.setdefault(colour, name) != name
    ]
