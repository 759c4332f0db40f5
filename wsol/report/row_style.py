"""A row as the page shows it: its short name, its colour, and the key that ties its parts together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wsol.board.columns import BASELINES
from wsol.board.rows import Row
from wsol.report.style import COLORS, DASHES

# Columns that tell rows of one table apart when their short names agree.
TELLING = ("backbone", "weights", "selection")


@dataclass(frozen=True)
class Shown:
    """``short`` is the name beside the row's other columns, ``name`` where it stands alone.

    ``anchor`` is one in table, curves, legend and overlays; ``classes`` are the style sheet's.
    """

    row: Row
    short: str
    name: str
    anchor: str
    classes: str


def shown_rows(rows: Sequence[Row], number: int) -> list[Shown]:
    """The rows of the page's table ``number``, in their order.

    Trained rows take the colours in the order of their rank, then again in dashes; baselines are grey.
    """
    telling = [column for column in TELLING if len({row[column] for row in rows if row[column]}) > 1]
    shown, trained = [], 0
    for place, row in enumerate(rows):
        short = _short(row)
        name = " · ".join([short, *(row[column] for column in telling if row[column])])
        classes = f"baseline {row['maps']}"
        if not row.is_baseline:
            dash, color = divmod(trained, len(COLORS))
            classes = f"trained color-{color} dash-{dash % len(DASHES)}"
            trained += 1
        shown.append(Shown(row, short, name, f"row-{number}-{place}", classes))
    return shown


def _short(row: Row) -> str:
    """What makes a row special: attention, method, map."""
    parts = [row[column] for column in ("attention", "method") if row[column] not in ("", "none", "cam")]
    if row.is_baseline:
        name = BASELINES[row["maps"]]
        return " of ".join([name[0].upper() + name[1:], *([" + ".join(parts)] if parts else [])])
    name = " + ".join(parts) or ("CAM" if row["maps"] == "cam" else row["maps"])
    return name if row["maps"] in ("cam", name) else f"{name}, {row['maps']}"
