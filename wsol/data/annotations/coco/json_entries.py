"""The lists of a large JSON file, entry by entry: the whole would take many times the file's size."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from wsol.errors import UserError
from wsol.files.reading import read_json, refuse_no_file

BLOCK = 2**20  # characters
BLANK = " \t\r\n"


class JsonEntry(NamedTuple):
    """A part of the file: an entry of a list, the list's beginning (``START``), or another value.

    ``name`` is the key of the list or value; empty where the whole file is one list or value.
    """

    name: str
    index: int
    value: Any


START, WHOLE = -1, -2  # indices of a list's beginning, and of a value that is no list


def json_entries(path: Path) -> Iterator[JsonEntry]:
    """What the file holds, in its order. ``UserError`` where it is missing or no JSON.

    A key of the outermost object that occurs twice is an error: one of the two would be lost.
    """
    refuse_no_file(path)
    try:
        with path.open(encoding="utf-8-sig") as file:
            yield from _entries(_Text(file), path)
        return
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(f"{path}: no such file") from None
    except UserError:
        raise
    except (OSError, ValueError, RecursionError) as error:
        problem = error
    # Reading the whole says in which line and column it is broken.
    read_json(path)
    raise UserError(f"{path}: not JSON ({problem})")


def _entries(text: _Text, path: Path) -> Iterator[JsonEntry]:
    first = text.peek()
    if first == "[":
        yield from _list(text, "")
    elif first != "{":
        yield JsonEntry("", WHOLE, text.value())
    else:
        seen: set[str] = set()
        for name in text.names():
            if name in seen:
                raise UserError(f'{path}: the key "{name[:40]}" occurs twice; keep one')
            seen.add(name)
            if text.peek() == "[":
                yield from _list(text, name)
            else:
                yield JsonEntry(name, WHOLE, text.value())
    if text.peek():
        raise ValueError("more than one value")


def _list(text: _Text, name: str) -> Iterator[JsonEntry]:
    yield JsonEntry(name, START, None)
    text.take("[")
    if text.peek() == "]":
        text.take("]")
        return
    index = 0
    while True:
        yield JsonEntry(name, index, text.value())
        index += 1
        if text.take(",]") == "]":
            return


class _Text:
    """The file's text from where it was read to, a block or the longest value at a time."""

    def __init__(self, file: TextIO) -> None:
        self._file, self._decode = file, json.JSONDecoder().raw_decode
        self._text, self._at, self._ended = "", 0, False

    def peek(self) -> str:
        """The next character that is no blank; empty at the end."""
        while True:
            while self._at < len(self._text):
                if (character := self._text[self._at]) not in BLANK:
                    return character
                self._at += 1
            if self._ended:
                return ""
            self._more(BLOCK)

    def take(self, expected: str) -> str:
        """Go past the next character; ``ValueError`` where it is none of ``expected``."""
        character = self.peek()
        if not character or character not in expected:
            raise ValueError(f"no {' or '.join(expected)}")
        self._at += 1
        return character

    def value(self) -> Any:
        """The next value; ``ValueError`` where there is none."""
        self.peek()
        size = BLOCK
        while True:
            try:
                value, end = self._decode(self._text, self._at)
            except ValueError:
                if self._ended:
                    raise
            else:
                # A number at the end of what was read may go on.
                if end < len(self._text) or self._ended:
                    self._at = end
                    return value
            self._more(size)
            size *= 2

    def names(self) -> Iterator[str]:
        """The keys of an object, each to be followed by reading its value."""
        self.take("{")
        if self.peek() == "}":
            self.take("}")
            return
        while True:
            if self.peek() != '"':
                raise ValueError("no key")
            name = self.value()
            self.take(":")
            yield name
            if self.take(",}") == "}":
                return

    def _more(self, size: int) -> None:
        block = self._file.read(size)
        self._ended = not block
        self._text, self._at = self._text[self._at :] + block, 0
