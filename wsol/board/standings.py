"""Where some rows stand in the tables of a board: their rank, and the difference to CAM."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from wsol.board.board import Board
from wsol.board.comparison.compared import Against
from wsol.board.rows.rows import Row
from wsol.board.tables.sections import Section
from wsol.scores.comparison.comparison import Comparison


@dataclass(frozen=True)
class Standing:
    """A row's ``rank`` among all rows of its table, 1 is best, and how it compares with CAM.

    ``cam`` is the CAM row it is compared with: None where there is none, or the row is that one.
    ``against_cam`` is the row minus that one in the metric of the ranking, paired over images; None also
    where the arrays of either are not at hand.
    """

    rank: int
    row: Row
    cam: Row | None
    against_cam: Comparison | None


@dataclass(frozen=True)
class Standings:
    """Some rows of a table, best first, and the whole table that they are ranked in."""

    section: Section
    rows: list[Standing]

    @property
    def has_cam(self) -> bool:
        """Whether the table has a CAM row at all."""
        return any(map(is_cam, self.section.rows))


def standings(board: Board, run_ids: Collection[str]) -> list[Standings]:
    """The tables with a row of these runs: those rows, CAM's that they compare with, and baselines."""
    found = []
    for section in board.sections:
        mine = [row for row in section.rows if any(one.run_id in run_ids for one in row.records)]
        if mine:
            cams = {row.key: cam_of(row, section.rows) for row in section.rows}
            wanted = {row.key for row in mine} | {cam.key for row in mine if (cam := cams[row.key])}
            found.append(
                Standings(
                    section,
                    [
                        _standing(rank, row, cams[row.key], section.ranked_by)
                        for rank, row in enumerate(section.rows, start=1)
                        if row.key in wanted or not row["backbone"]
                    ],
                )
            )
    return found


def is_cam(row: Row) -> bool:
    """Whether the row is CAM's: the class maps of a network as it is, trained to classify."""
    return (row["attention"], row["method"], row["maps"]) == ("none", "cam", "cam")


def cam_of(row: Row, rows: Sequence[Row]) -> Row | None:
    """The CAM row of the same images and network that ``row`` is compared with.

    Of several that which was trained most alike. What has no network is compared where there is one CAM
    row only. None where there is none, or the row is that one itself.
    """
    alike = [
        other
        for other in rows
        if is_cam(other)
        and _manifest(other) == _manifest(row)
        and (not row["backbone"] or other["backbone"] == row["backbone"])
    ]
    if row in alike or (not row["backbone"] and len(alike) > 1):
        return None
    mine = row.conditions

    def unlike(other: Row) -> tuple[int, tuple[str, ...]]:
        theirs = other.conditions
        keys = mine.keys() | theirs.keys()
        return sum(mine.get(key) != theirs.get(key) for key in keys), other.key

    return min(alike, key=unlike, default=None)


def _standing(rank: int, row: Row, cam: Row | None, metric: str) -> Standing:
    compared = Against(cam, None).of(row, [metric]) if cam else {}
    return Standing(rank, row, cam, compared.get(metric))


def _manifest(row: Row) -> str:
    return str(row.records[0].dataset["manifest_hash"])
