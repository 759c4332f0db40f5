"""Plain text tables of the official releases: a key, then values, one row a line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from wsol.errors import UserError
from wsol.files.reading import refuse_no_file

DIGITS = 6  # of a count: no picture is wider, no data set has more classes
LARGEST_NUMBER = 10**DIGITS - 1


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Line number and text, blanks around stripped, of each line that is not empty.

    ``UserError`` where the file is missing or no UTF-8 text.
    """
    refuse_no_file(path)
    try:
        with path.open(encoding="utf-8-sig") as file:
            for line, text in enumerate(file, start=1):
                if text := text.strip():
                    yield line, text
    except FileNotFoundError:
        raise UserError(f"{path}: missing") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not a UTF-8 text file ({error})") from error


def read_keyed(
    path: Path, values: int, findings: list[str], *, separator: str | None = None
) -> dict[str, tuple[list[str], str]]:
    """Rows ``key value ...`` as {key: (values, "file line n")}; what is wrong goes to ``findings``.

    The last value takes the rest of its line.
    """
    table: dict[str, tuple[list[str], str]] = {}
    for line, text in read_lines(path):
        where = f"{path.name} line {line}"
        key, *rest = (part.strip() for part in text.split(separator, values))
        if len(rest) != values:
            findings.append(f"{where}: {len(rest)} values after {key!r} where there should be {values}")
        elif key in table:
            findings.append(f"{where}: {key!r} is already in {table[key][1]}")
        else:
            table[key] = rest, where
    return table


def whole_number(text: str) -> int | None:
    """A count of pixels or a class number; None where the text is none, or has over six digits."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= DIGITS else None


def numbers(texts: list[str], where: str, findings: list[str]) -> tuple[float, ...] | None:
    """The texts as numbers; None, and a finding, where one is none."""
    try:
        return tuple(map(float, texts))
    except ValueError:
        findings.append(f"{where}: {' '.join(texts)!r} are not {len(texts)} numbers")
        return None
