"""What every reader of a table needs to know before its figures, a line each."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from wsol.board.rows.columns import BASELINES, percent, short_name
from wsol.board.rows.rows import Row
from wsol.board.rows.seeds import FAR_DEVIATIONS, FAR_POINTS, far_seeds
from wsol.scores.records import RunRecord

# The map source that every map of a network has to beat in deletion and insertion.
RANDOM = "random"


def images(records: Sequence[RunRecord], split: str) -> str:
    """How many images, or queries of images, were scored, and of how many."""
    scored = sorted({record.n_images for record in records})
    expected = max(record.n_expected for record in records)
    counts = f"{scored[0]:,}" if len(scored) == 1 else f"{scored[0]:,} to {scored[-1]:,}"
    if scored != [expected]:
        counts += f" of {expected:,}"
    counts += " queries" if records[0].dataset.get("queries") else " images"
    whole = str(records[0].dataset.get("subset") or "")
    if not whole:
        return counts + (": a subset." if scored != [expected] else ".")
    # The manifest counts every split; a reader of this table asks for this one.
    here = [part for part in whole.split(", ") if split in part.split()]
    return f"{counts}, of a subset: {', '.join(here) or whole}."


def thresholds(records: Sequence[RunRecord], policy: str) -> str:
    """How thresholds were chosen."""
    if policy == "oracle":
        return "the best for each metric on the scored images themselves (oracle)."
    if policy == "val":
        fold = any(record.dataset.get("val_fold") for record in records)
        chosen = "chosen on val" + (", a fold held out of train" if fold else "")
    else:
        chosen = f"fixed at {policy.partition(':')[2] or policy}"
    return f"{chosen}; metrics named Max are always oracle."


def manifests(records: Sequence[RunRecord]) -> list[str]:
    """That the rows do not stem from one data set, where they do not."""
    hashes = {record.dataset["manifest_hash"] for record in records}
    many = f"Rows stem from {len(hashes)} different manifests of this name: they do not compare."
    return [many] if len(hashes) > 1 else []


def starting_as_identity(records: Sequence[RunRecord]) -> list[str]:
    """Which modules leave the network as it is before they learn; the others change it at once."""
    named = {
        str(record.recipe["what"]["attention"]["name"])
        for record in records
        if record.recipe["how"].get("starts_as_identity")
    }
    return [f"Attention that starts as identity: {', '.join(sorted(named))}."] if named else []


def bounds(rows: Sequence[Row]) -> list[str]:
    """Which rows are bounds, and by what they were trained."""
    told = [f"{row.title} ({row.bound})" for row in rows if row.bound]
    return [f"Bounds, below the others and not ranked: {'; '.join(told)}."] if told else []


def missing_baselines(rows: Sequence[Row]) -> list[str]:
    """Which baselines the table lacks."""
    present = {row["maps"] for row in rows}
    # All-background and -foreground say nothing of boxes; they come with the masks' protocol.
    wanted = [name for name in ("center", "features") if name not in present]
    missing = [f"the {BASELINES[name]} (maps {name})" for name in wanted]
    return [f"Not scored here: {' and '.join(missing)}."] if missing else []


def without_random_map(networks: Sequence[Sequence[Row]]) -> list[str]:
    """That some networks were not asked of a random map, without which no area can be judged."""
    lacking = sum(all(row["maps"] != RANDOM for row in rows) for rows in networks)
    if not lacking:
        return []
    some = "" if lacking == len(networks) else f" Of {lacking} of {len(networks)} networks"
    return [f"{some or 'Here'} a random map (maps {RANDOM}) was not scored beside.".lstrip()]


def far_from_the_others(rows: Sequence[Row], metric: str) -> list[str]:
    """Seeds that lie far from the others of their row (`far_seeds`) in the metric of the ranking."""
    told = [said for row in rows if row.is_percent(metric) for said in _far_seeds(row, metric)]
    if not told:
        return []
    return [
        f"Seeds far from the others of their row in {short_name(metric, rows[0].specifications)}: "
        f"{'; '.join(told)}. There mean, deviation and interval over seeds describe no run: where a "
        "fifth of the runs collapses, the 95 % interval of five seeds holds the true mean in about 65 % "
        f"of the cases. Far is, by a rule of ours, more than {FAR_POINTS} points and more than "
        f"{FAR_DEVIATIONS} robust standard deviations from the median."
    ]


def _far_seeds(row: Row, metric: str) -> list[str]:
    values = row.values(metric)
    far = far_seeds(values)
    if not far:
        return []
    median = statistics.median(value for value in values if value is not None)
    return [
        f"{row.title}, seed {row.seed_numbers[place]} ({percent(values[place], 1)}, median "
        f"{percent(median, 1)})"
        for place in far
    ]
