"""Which predicted class is which true one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from wsol.errors import UserError


@dataclass(frozen=True)
class ClassCodes:
    """Numbers of classes for both sides: equal numbers are one class.

    Attributes:
        names: of each number: the true classes first, then those that only predictions have.
        true: number by the annotations' name.
        predicted: number by the predictions' name.
        compared: whether classes are compared at all; where not, every object is of class 0.
        notes: what a user should know, a line each.
        spelled: the names of classes that predictions call by the annotations' numbers.
    """

    names: list[str]
    true: dict[str, int]
    predicted: dict[str, int]
    compared: bool = True
    notes: list[str] = field(default_factory=list)
    spelled: dict[str, str] = field(default_factory=dict)

    def code(self, side: str, name: str) -> int:
        """The number of a class that ``side``, ``true`` or ``predicted``, calls ``name``."""
        return getattr(self, side)[name] if self.compared else 0


def class_codes(
    true: Iterable[str],
    predicted: Iterable[str],
    stands_for: Mapping[str, Sequence[str]] | None = None,
    ids: Mapping[str, str] | None = None,
) -> ClassCodes:
    """Numbers for the class names of both sides; an empty name is an object without a class.

    A name is looked for in ``stands_for`` (annotations' class: the predictions' names of it), then as it
    stands, then without regard to case and with a space for ``_``, then among ``ids``, the annotations'
    own numbers of their classes. Where one side names no class, or no predicted class is a true one,
    classes are not compared, and a note says so.

    Raises:
        UserError: a predicted class stands for two true ones.
    """
    true, predicted = sorted(set(true)), sorted(set(predicted))
    told = [any(names) for names in (true, predicted)]
    if not all(told):
        which = ["the annotations", "the predictions"]
        lacking = [which[place] for place in range(2) if not told[place]]
        notes = [f"{lacking[0]} name no classes: classes are not compared"] if any(told) else []
        return ClassCodes([""], {}, {}, False, notes)
    codes = {name: code for code, name in enumerate(true)}
    loose: dict[str, list[int]] = {}
    for name, code in codes.items():
        loose.setdefault(_loose(name), []).append(code)
    mapped = _mapped(codes, stands_for or {})
    found: dict[str, int] = {}
    for name in predicted:
        alike = loose.get(_loose(name), [])
        by_id = codes.get((ids or {}).get(name, name))
        code = mapped.get(name, codes.get(name, alike[0] if len(alike) == 1 else by_id))
        if code is not None:
            found[name] = code
    shared = {name for name in found if name}
    if not shared:
        return ClassCodes([""], {}, {}, False, [_nothing_shared(true, predicted)])
    notes = _idle(stands_for or {}, true, predicted)
    if unknown := [name for name in predicted if name not in found]:
        named = [name for name in unknown if name]
        if named:
            notes.append(
                f"{len(named)} classes of the predictions are none of the annotations', e.g. "
                f"{named[0]!r}: their predictions are false positives; --classes TABLE says what they "
                "stand for"
            )
        if len(named) < len(unknown):
            notes.append("predictions without a class are false positives, as others have one")
    if "" in codes:
        notes.append("true objects without a class are found by predictions without one only")
    names = [*true, *unknown]
    found |= {name: len(true) + place for place, name in enumerate(unknown)}
    by_number = {
        name: (ids or {})[name] for name in predicted if name in (ids or {}) and name not in codes
    }
    found |= {own: found[name] for name, own in by_number.items()}
    return ClassCodes(names, codes, found, True, notes, by_number)


def _idle(
    stands_for: Mapping[str, Sequence[str]], true: Sequence[str], predicted: Sequence[str]
) -> list[str]:
    """A note of the names in the table that neither side has."""
    idle = [name for name in stands_for if name not in true]
    idle += [name for names in stands_for.values() for name in names if name not in predicted]
    if not idle:
        return []
    more = ", ..." if len(idle) > 3 else ""
    return [f"--classes: {', '.join(map(repr, idle[:3]))}{more} are classes that the files do not have"]


def _mapped(codes: Mapping[str, int], stands_for: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Number of each predicted class that the table names."""
    mapped: dict[str, int] = {}
    first: dict[str, str] = {}
    findings = []
    for name in stands_for:
        for other in stands_for[name] if name in codes else ():
            if other in mapped:
                findings.append(
                    f"--classes: {other!r} stands for {first[other]!r} and for {name!r}; a prediction "
                    "is of one class"
                )
            mapped[other], first[other] = codes[name], name
    if stands_for and not set(stands_for) & set(codes):
        findings.append(
            f"--classes: none of its first column is a class of the annotations, e.g. "
            f"{next(iter(stands_for))!r}; they have {next(name for name in codes if name)!r}"
        )
    if findings:
        raise UserError.of(findings)
    return mapped


def _nothing_shared(true: Sequence[str], predicted: Sequence[str]) -> str:
    one, other = (next(name for name in names if name) for names in (true, predicted))
    return (
        f"no class of the predictions is one of the annotations' ({other!r}, {one!r}): classes are not "
        "compared; --classes TABLE says which stand for which"
    )


def _loose(name: str) -> str:
    return " ".join(name.casefold().replace("_", " ").split())
