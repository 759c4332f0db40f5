"""Rows -> the tables people read: one for each data set, split, protocol and threshold policy, ranked.

Numbers are comparable within a section and nowhere else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from wsol.board.comparison.compared import Against
from wsol.board.rows.columns import KEY_COLUMNS, short_name
from wsol.board.rows.rows import Row
from wsol.board.runs.memory import Memory
from wsol.board.tables import facts
from wsol.board.tables.unlike import Unlike, common_setting, unlike
from wsol.scores.comparison.comparison import Comparison
from wsol.scores.metrics import in_columns
from wsol.scores.metrics.specification import MetricSpecification

# What a table without any metric that ranks is said to be ranked by.
FIRST_RANK = "max_box_acc@0.5"


@dataclass(frozen=True)
class Section:
    """One table: its ``place`` (dataset, split, protocol, policy) and its rows, best first.

    ``against_center`` compares a row's metric with the centred box on the same images:
    ``{(row key, metric): Comparison}``, where per-image arrays of both exist.
    """

    place: tuple[str, str, str, str]
    rows: list[Row]
    against_center: dict[tuple[tuple[str, ...], str], Comparison] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The data set's own title, or its name."""
        return str(self.rows[0].records[0].dataset.get("title") or self.place[0])

    @cached_property
    def metrics(self) -> list[str]:
        """The main metrics that a row of this table has, in their order."""
        said = self.specifications
        return [key for key in _main(said) if _measured(self.rows, key)]

    @cached_property
    def specifications(self) -> dict[str, MetricSpecification]:
        """What the records of these rows say of each metric, by key."""
        return _said(self.rows)

    def short_name(self, metric: str) -> str:
        """What the table calls a metric: ``J``, or ``J Horse`` for that of a class."""
        return short_name(metric, self.specifications)

    @cached_property
    def class_metrics(self) -> list[str]:
        """Metrics of single classes that a row of this table has, ``rubinstein_j:Horse``; by class."""
        keys = {key for row in self.rows for key in row.estimates if ":" in key}
        return sorted(keys, key=lambda key: (key.partition(":")[2], key.partition(":")[0]))

    @cached_property
    def network_metrics(self) -> list[str]:
        """Metrics that compare the maps of one network with each other and with nothing else."""
        own = [one for one in self.specifications.values() if one.of_network]
        return [one.key for one in in_columns(own) if _measured(self.rows, one.key)]

    def by_network(self) -> list[list[Row]]:
        """The rows that have such metrics, those of one network together; networks by their best row."""
        networks: dict[tuple[str, ...], list[Row]] = defaultdict(list)
        for row in self.rows:
            if any(_measured([row], metric) for metric in self.network_metrics):
                network = tuple(row[column] for column in KEY_COLUMNS if column != "maps")
                networks[network].append(row)
        return list(networks.values())

    @cached_property
    def ranked_by(self) -> str:
        """The metric the rows are ranked by."""
        return _ranking_metric(self.rows)

    @cached_property
    def unlike(self) -> dict[tuple[str, ...], Unlike]:
        """By row key, in what rows are unlike the others; see `wsol.board.tables.unlike.unlike`."""
        return unlike(self.rows)

    def mark(self, row: Row) -> str:
        """The letter of a row that is unlike the others; empty for the rest."""
        return self.unlike[row.key].mark if row.key in self.unlike else ""

    def footnotes(self) -> list[str]:
        """Under which setting the rows were made, and for each mark in what its rows differ."""
        common = common_setting(self.rows)
        others = (("mark", bool(self.unlike)), ("variant", any(row.named for row in self.rows)))
        told = " or ".join(name for name, there in others if there)
        but = f" where no {told} says another" if told else ""
        marks = {said.mark: said.text for said in self.unlike.values()}
        return [
            *([f"Setting{but}: {common}."] if common else []),
            *(f"Rows marked {mark}: {text}." for mark, text in marks.items()),
        ]

    def comparison(self, row: Row, metric: str) -> Comparison | None:
        """The row against the centred box, or None where the images of both are not at hand."""
        return self.against_center.get((row.key, metric))

    def like_center(self, row: Row, metric: str) -> bool:
        """Whether these images cannot tell the row from the centred box."""
        comparison = self.comparison(row, metric)
        return comparison is not None and not comparison.distinguishable

    def facts(self) -> list[str]:
        """What every reader of the table needs: which images, how thresholds were chosen, what lacks."""
        dataset, split, protocol, policy = self.place
        records = [record for row in self.rows for record in row.records]
        return [
            f"Data: {dataset}, split {split}, {facts.images(records, split)}",
            f"Protocol: {protocol}. Thresholds: {facts.thresholds(records, policy)}",
            *facts.manifests(records),
            *facts.starting_as_identity(records),
            *self._findings(),
            *facts.far_from_the_others(self.rows, self.ranked_by),
            *facts.bounds(self.rows),
            *facts.missing_baselines(self.rows),
        ]

    def _findings(self) -> list[str]:
        """What the paired tests say of trained rows, in the metric the table is ranked by."""
        metric = self.ranked_by
        compared = [
            (row, self.against_center[row.key, metric])
            for row in self.rows
            if (row.key, metric) in self.against_center and row.competes
        ]
        if not compared:
            return []
        alike = [row for row, comparison in compared if not comparison.distinguishable]
        worse = [row for row, c in compared if c.distinguishable and c.difference < 0]
        count = compared[0][1].n_images
        name = self.short_name(metric)
        return [
            f"Against the centred box in {name}, paired over {count:,} images: "
            f"{len(compared) - len(alike) - len(worse)} better, {len(worse)} worse, "
            f"{len(alike)} not distinguishable with these {count:,} images."
        ]


def sections(rows: Sequence[Row], memory: Memory | None = None) -> list[Section]:
    """All tables of the board, sorted by place, their rows ranked; ``memory`` spares comparisons."""
    by_place: dict[tuple[str, str, str, str], list[Row]] = defaultdict(list)
    for row in rows:
        by_place[row.place].append(row)
    return [
        Section(place, _ranked(members), _against_center(members, memory))
        for place, members in sorted(by_place.items())
    ]


def _ranking_metric(rows: Sequence[Row]) -> str:
    """Of the metrics that rank tables the first that a row has; of none, the first of all."""
    said = [one for one in _said(rows).values() if one.rank is not None]
    ranks = sorted(said, key=lambda one: (one.rank, one.key))
    measured = [one.key for one in ranks if _measured(rows, one.key)]
    return measured[0] if measured else FIRST_RANK


def _said(rows: Sequence[Row]) -> dict[str, MetricSpecification]:
    return {key: one for row in rows for key, one in row.specifications.items()}


def _main(said: Mapping[str, MetricSpecification]) -> list[str]:
    """The keys of the main columns in their order."""
    main = [one for one in said.values() if one.main_column is not None and not one.of_network]
    return [one.key for one in sorted(main, key=lambda one: (one.main_column, one.key))]


def _measured(rows: Sequence[Row], metric: str) -> bool:
    return any(metric in row.estimates and row.estimates[metric].value is not None for row in rows)


def _ranked(rows: Sequence[Row]) -> list[Row]:
    metric = _ranking_metric(rows)

    def rank(row: Row) -> tuple[bool, float, tuple[str, ...]]:
        figure = row.estimates.get(metric)
        value = figure.value if figure else None
        # Bounds stand below the others, whatever they reach.
        return (bool(row.bound), float("inf") if value is None else -round(value, 6), row.key)

    return sorted(rows, key=rank)


def _against_center(
    rows: Sequence[Row], memory: Memory | None
) -> dict[tuple[tuple[str, ...], str], Comparison]:
    centers = [row for row in rows if row["maps"] == "center"]
    # Of several boxes the one on the row's own images; of several there the first.
    against = {_manifest(row): Against(row, memory) for row in reversed(centers)}
    return {
        (row.key, metric): comparison
        for row in rows
        if (center := against.get(_manifest(row))) is not None and row is not center.other
        for metric, comparison in center.of(row, _main(row.specifications)).items()
    }


def _manifest(row: Row) -> str:
    return str(row.records[0].dataset["manifest_hash"])
