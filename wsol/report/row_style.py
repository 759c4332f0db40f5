"""How the page shows a row: its names, its colour, and the key that ties its parts together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wsol.board.rows.rows import Row

# So many classes color-0, color-1 ... and dash-0, dash-1 ... the style sheet has.
COLORS, DASHES = 10, 3

# Columns that tell rows of one table apart when their short names agree.
TELLING = ("backbone", "weights", "selection")


@dataclass(frozen=True)
class RowStyle:
    """``short`` is the row's name beside its other columns, ``name`` where it stands alone.

    ``anchor`` is the same in table, curves, legend and overlays; ``classes`` are the style sheet's.
    """

    row: Row
    short: str
    name: str
    anchor: str
    classes: str


def style_rows(rows: Sequence[Row], number: int) -> list[RowStyle]:
    """The rows of the page's table ``number``, in their order.

    Trained rows take the colours in the order of their rank. Those after the first round of colours are
    dashed and ``quiet`` (drawn faintly among the curves). Baselines are grey.
    """
    telling = [column for column in TELLING if len({row[column] for row in rows if row[column]}) > 1]
    styles, trained = [], 0
    for place, row in enumerate(rows):
        short = row.title
        name = " · ".join([short, *(row[column] for column in telling if row[column])])
        classes = f"baseline {row['maps']}"
        if not row.is_baseline:
            round_, color = divmod(trained, COLORS)
            classes = f"trained color-{color} dash-{round_ % DASHES}" + (" quiet" if round_ else "")
            trained += 1
        styles.append(RowStyle(row, short, name, f"row-{number}-{place}", classes))
    return styles
