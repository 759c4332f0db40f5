"""What a table of the page shows, cell by cell. The template `tables.html.jinja` makes HTML of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from wsol.report.row_style import RowStyle


@dataclass(frozen=True)
class Head:
    """The head of a column. ``falling`` says that the rows come sorted by it, the largest first.

    A ``minor`` column is left out on narrow screens, so that the figures come first.
    """

    text: str
    is_number: bool = False
    falling: bool = False
    minor: bool = False


@dataclass(frozen=True)
class Cell:
    """One cell: ``text``, and the lines ``below`` it in smaller type.

    ``sort_key`` is what sorting compares; cells without one come last. ``kind`` is how a difference is
    coloured: ``"alike"``, ``"up"``, ``"down"`` or ``""``. ``bar`` is the length of the bar behind a
    number, 0 to 100, or None for no bar. ``minor`` is its column's. ``marked`` sets the sign for "not
    distinguishable" before the text.
    """

    text: str = ""
    below: tuple[str, ...] = ()
    sort_key: str = ""
    is_number: bool = False
    kind: str = ""
    bar: float | None = None
    best: bool = False
    marked: bool = False
    tip: str = ""
    minor: bool = False


@dataclass(frozen=True)
class TableRow:
    """A line of a table: ``name`` is the line's head, None for a line without one.

    ``style`` ties it to the row's curves and overlays. ``mark`` is a letter behind the name, of which a
    line under the table says what it means. ``under`` is shown under the name on narrow screens, in
    place of the minor columns.
    """

    name: str | None
    cells: tuple[Cell, ...]
    style: RowStyle | None = None
    mark: str = ""
    under: str = ""


@dataclass(frozen=True)
class Table:
    """A sortable table; the first of its ``heads`` is that of the rows' names, where they have names."""

    caption: str
    heads: tuple[Head, ...]
    rows: tuple[TableRow, ...]


def text_cell(text: str, below: str = "") -> Cell:
    """A cell of text with a smaller line below it."""
    return Cell(text, (below,) if below else (), sort_key=text)


def number_cell(value: float | None, digits: int | None) -> Cell:
    """A number with ``digits`` after the point, or with as many as it has; empty for None."""
    if value is None:
        return Cell(is_number=True)
    text = f"{value:,.{digits}f}" if digits is not None else f"{value:,.10g}"
    return Cell(text, sort_key=str(value), is_number=True)


def columns(names: Iterable[str], *, numbers: bool = False, minor: bool = False) -> tuple[Head, ...]:
    """Heads of columns that hold text, or numbers."""
    return tuple(Head(name, is_number=numbers, minor=minor) for name in names)
