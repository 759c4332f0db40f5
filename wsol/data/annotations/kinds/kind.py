"""The kinds of annotation files: those that are read, and those that are known and told how to mend."""

from __future__ import annotations

from typing import NamedTuple


class Kind(NamedTuple):
    """What a file is, for messages; ``mend`` says what to do with a kind that is not read."""

    name: str
    mend: str = ""

    @property
    def is_read(self) -> bool:
        """Whether there is a reader for it."""
        return not self.mend

    def refusal(self) -> str:
        """The end of a message about a file of a kind that is not read."""
        return f"is {_article(self.name)} {self.name}, which is not read: {self.mend}"


def _article(name: str) -> str:
    return "an" if name[:1].lower() in "aeiou" or name[:3] in ("MIT", "XML") else "a"
