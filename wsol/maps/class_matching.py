"""Which of a model's classes a text means: a key, a name, or one of its synonyms, however spelled."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

SHOWN = 5  # classes that one line names
WNID = re.compile(r"(n\d{8})(?:[-_. ]|$)", re.IGNORECASE)  # folders are called n02085620-Chihuahua, too
NUMBERED = re.compile(r"\d+\.(?=\D)")  # CUB's are called 001.Black_footed_Albatross


class ModelClasses:
    """A model's classes by everything that people call them.

    Args:
        keys: in the order of the logits.
        names: the name of each, with its synonyms by commas: ``tench, Tinca tinca``. Empty where nobody
            knows; the key is a name too.
    """

    def __init__(self, keys: Sequence[str], names: Sequence[str] = ()) -> None:
        self.keys = list(keys)
        self.names = dict(zip(keys, names or keys, strict=True))
        self._known = set(keys)
        self._called: defaultdict[str, dict[str, None]] = defaultdict(dict)
        for key, name in self.names.items():
            for text in (key, NUMBERED.sub("", key), name, *name.split(",")):
                if spelled := _spelling(text):
                    self._called[spelled][key] = None

    def find(self, text: str) -> list[str]:
        """The keys of the classes that ``text`` may mean: none, one, or several that share the name.

        A key, exactly as it is, goes before all names. Letter case does not count, nor whether words are
        joined by ``_``, ``-`` or a space. Of several names by commas all must be the class's.
        """
        if text in self._known:
            return [text]
        if found := self._called.get(_spelling(text)):
            return list(found)
        if (wnid := WNID.match(text)) and wnid[1].lower() in self._known:
            return [wnid[1].lower()]
        parts = [
            self._called.get(spelled, {}) for part in text.split(",") if (spelled := _spelling(part))
        ]
        return [key for key in parts[0] if all(key in part for part in parts)] if parts else []

    def near(self, text: str) -> list[str]:
        """Up to three names like ``text``, those that contain it as a word first; maybe none."""
        spelled = _spelling(text)
        words = [name for name in self._called if spelled and spelled in name.split()]
        like = difflib.get_close_matches(spelled, self._called, n=3, cutoff=0.7)
        return list(dict.fromkeys([*sorted(words, key=len), *like]))[:3]

    def told(self, key: str) -> str:
        """The class as a message shows it: ``n02012849 (crane)``, or its key alone."""
        name = self.names[key]
        return key if name == key else f"{key} ({name})"


@dataclass
class ClassMatch:
    """What each of a data set's classes is of a model's.

    Attributes:
        groups: keys of the model by the data set's class, of those only that are not called alike.
        unknown: the data set's classes that are none of the model's, in their order.
        by_name: class and key of those that were matched by name.
        findings: what nobody but the user can decide: names that several classes share, and
            given classes that the model does not have.
        notes: what was decided.
    """

    groups: dict[str, list[str]] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    by_name: dict[str, str] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def match_classes(
    model: ModelClasses,
    classes: Mapping[str, str],
    given: Mapping[str, Sequence[str]] = {},
) -> ClassMatch:
    """Match ``classes``, {key: name} of a data set, with a model's.

    ``given`` says by hand which of the model's classes, by key or by name, stand for some of the data
    set's; it goes first, then equal keys, then names.
    """
    match = ClassMatch()
    by_hand = _by_hand(model, classes, given, match)
    for key, name in classes.items():
        if key in by_hand:
            match.groups[key] = by_hand[key]
            continue
        found = model.find(key) or model.find(name)
        if len(found) > 1:
            match.findings.append(_ambiguous(model, key, found))
        elif not found:
            match.unknown.append(key)
        elif found[0] != key:
            match.groups[key] = found
            match.by_name[key] = found[0]
    match.unknown += [key for key, own in match.groups.items() if not own]
    match.groups = {key: own for key, own in match.groups.items() if own}
    _note(model, classes, match)
    return match


def _by_hand(
    model: ModelClasses,
    classes: Mapping[str, str],
    given: Mapping[str, Sequence[str]],
    match: ClassMatch,
) -> dict[str, list[str]]:
    """``given`` by keys, of the data set's and of the model's."""
    own = ModelClasses(list(classes), list(classes.values()))
    by_hand, absent = {}, []
    for said, names in given.items():
        meant = own.find(said)
        if len(meant) != 1:
            absent.append(said)
            continue
        columns = []
        for name in names:
            found = model.find(name)
            if len(found) == 1:
                columns += found
            elif found:
                match.findings.append(_ambiguous(model, name, found, said))
            else:
                match.findings.append(
                    f"evaluation.classes: {said!r}: {name!r} is none of the model's "
                    f"{len(model.keys):,} classes{_like(model, name)}"
                )
        by_hand[meant[0]] = list(dict.fromkeys(columns))
    if absent and len(absent) == len(given):
        match.findings.append(
            f"evaluation.classes: no class {absent[0]!r} in the data set{_like(own, absent[0])}"
        )
    elif absent:
        match.notes.append(
            f"the classes given by hand name {counted(len(absent), 'class')} that the data set lacks: "
            f"{listed(absent)}"
        )
    return by_hand


def _ambiguous(model: ModelClasses, name: str, found: Sequence[str], key: str = "") -> str:
    candidates = " or ".join(model.told(one) for one in found)
    return (
        f"class {name!r} may be {candidates}: choose by evaluation.classes, "
        f"e.g. '{{{key or name}: [{found[0]}]}}'"
    )


def _note(model: ModelClasses, classes: Mapping[str, str], match: ClassMatch) -> None:
    if match.by_name:
        pairs = [f"{name} is {model.told(key)}" for name, key in match.by_name.items()]
        match.notes.append(f"{counted(len(pairs), 'class')} matched by name: {listed(pairs, '; ')}")
    meant: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    for key in classes:
        if key not in match.unknown:
            meant[tuple(match.groups.get(key, [key]))].append(key)
    match.notes += [
        f"{', '.join(names)} are the same for the model: {', '.join(map(model.told, keys))}"
        for keys, names in meant.items()
        if len(names) > 1
    ]


def told_unknown(model: ModelClasses, unknown: Sequence[str]) -> str:
    """The unknown classes with near names of the model's: ``fox (near: red fox), emu``."""
    return listed([f"{name!r}{_like(model, name)}" for name in unknown])


def listed(texts: Sequence[str], sign: str = ", ") -> str:
    """The first of the texts, and how many more there are."""
    more = [f"and {len(texts) - SHOWN} more"] if len(texts) > SHOWN else []
    return sign.join([*texts[:SHOWN], *more])


def counted(number: int, thing: str) -> str:
    """``1 class``, ``2 classes``, ``1 image``, ``3 images``."""
    return f"{number:,} {thing}{'' if number == 1 else 'es' if thing.endswith('s') else 's'}"


def _like(model: ModelClasses, name: str) -> str:
    near = model.near(name)
    return f" (near: {', '.join(near)})" if near else ""


def _spelling(text: str) -> str:
    """A text without what tells no classes apart: letter case, kinds of blanks, joined words."""
    words = re.sub(r"[\s_-]+", " ", unicodedata.normalize("NFKC", text).casefold())
    return re.sub(r" ?, ?", ", ", words).strip(" ,")
