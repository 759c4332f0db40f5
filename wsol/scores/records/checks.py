"""Is this content a run record? Its description, and what of it has to agree.

Whoever reads a record may rely on everything said here: no table meets a value it cannot print.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from wsol.errors import UserError
from wsol.scores.metrics.specification import MetricSpecification
from wsol.scores.protocol import Protocol, ThresholdPolicy
from wsol.scores.records.identity import content_id, digest
from wsol.scores.records.kinds import (
    anything,
    flag,
    listed,
    nullable,
    number,
    parts,
    table,
    text,
    time,
    whole,
    wrong,
)

# 2 added ``specifications``, 3 ``digest`` and ``metrics_version``; earlier ones are read.
SCHEMA_VERSION = 3
READABLE = (1, 2, 3)

TOLERANCE = 1e-9  # of bounds that a float may miss by its last bits


def _readable(version: Any) -> None:
    if version not in READABLE:
        raise wrong(version, f"one that this wsol reads: {', '.join(map(str, READABLE))}")


_count = whole(0)
_named = text(".+", "text, not empty")
_hash = text("[0-9a-f]{64}", "a SHA-256 of 64 hex digits")
_file = text(r"(?!\.)[^/\\:\x00]+\.npz", "the name of an .npz file beside the record, without folders")
_module = nullable(parts({"name": text()}, {"at": listed(text()), "options": table(anything)}))
_figure = parts(dict.fromkeys(("value", "low", "high"), nullable(number())), closed=True)

_WHAT = parts(
    optional={
        "seed": nullable(whole()),
        "data": parts(optional={"input_size": nullable(whole(1)), "name": text()}),
        "backbone": parts({"name": text()}),
        "weights": parts({"name": text()}),
        "attention": _module,
        "method": _module,
        "training": parts(),
        "evaluation": parts(),
        "head": parts(),
    }
)
_HOW = parts(
    optional={
        "source": nullable(parts(optional={"title": nullable(text()), "baseline": nullable(flag)})),
        "starts_as_identity": nullable(flag),
        "pretraining": nullable(text()),
        "extra_supervision": nullable(text()),
        "tuning_trials": nullable(_count),
        "training": nullable(parts()),
    }
)
_RECORD = parts(
    {
        "schema_version": anything,
        "run_id": text("[0-9a-f]{16}", "16 hex digits"),
        "recipe": parts({"what": _WHAT, "how": _HOW}, closed=True),
        "dataset": parts(
            {"name": _named, "manifest_hash": _named, "split": _named},
            {"title": text(), "subset": nullable(text()), "reader": text(), "version": text()},
        ),
        "protocol": parts(
            {"name": _named, "version": whole(1)},
            {
                "step": nullable(number(1e-9, below=1)),
                "size": nullable(whole(1)),
                "interpolation": text(),
                "iou_percents": listed(whole(1, 100)),
                "policy": text(),
                "metrics": listed(text()),
                **dict.fromkeys(("inclusive", "source_boxes", "per_class", "boxes"), flag),
            },
        ),
        "maps": _named,
        "threshold": parts(
            {"policy": text()}, {"chosen_on": text(), "values": table(number(0, below=1))}
        ),
        "metrics": table(_figure),
        "n_images": _count,
        "n_expected": _count,
    },
    {
        "metrics_version": whole(1),
        "digest": _hash,
        "specifications": table(
            parts(
                {"key": _named, "name": _named},
                {
                    "unit": text(),
                    "oracle": flag,
                    "needs": listed(text()),
                    "policies": listed(text()),
                    "mean_of": listed(text()),
                    "column": number(),
                    "main_column": nullable(number()),
                    "rank": nullable(number()),
                },
                closed=True,
            )
        ),
        "optimism": table(nullable(number())),
        "counts": table(_count),
        "arrays": parts(
            optional={"file": _file, "sha256": _hash, "levels_file": _file, "levels_sha256": _hash},
            closed=True,
        ),
        "cost": parts(
            optional={
                "params": nullable(_count),
                "gflops": nullable(number(0)),
                "images_per_second": nullable(number(0)),
                "device": nullable(text()),
                "map_size": nullable(listed(whole(1))),
            }
        ),
        "seeds": table(whole()),
        "versions": table(text()),
        "git_commit": nullable(text()),
        "started": nullable(time),
        "finished": nullable(time),
    },
    closed=True,
)


def check(raw: Any) -> None:
    """`UserError` in one line where ``raw``, what `strict_json` gave, is no sound record.

    Types, ranges, counts that agree, names without folders, the run's id, and the digest of the content.
    Records of schema 1 and 2 have no digest.
    """
    parts({"schema_version": _readable})(raw)
    if raw["schema_version"] == SCHEMA_VERSION:
        _check_digest(raw)
    _RECORD(raw)
    ThresholdPolicy.parse(raw["threshold"]["policy"])
    _protocol(raw["protocol"])
    _check_id(raw)
    _check_counts(raw)
    _check_arrays(raw.get("arrays", {}))
    _check_figures(raw)


def _check_digest(raw: Mapping[str, Any]) -> None:
    """First of all: content that was changed need not be looked at."""
    if "digest" not in raw:
        raise UserError("digest is missing: the record was edited")
    if raw["digest"] != content_digest(raw):
        raise UserError("its content does not match its digest: the record was edited or damaged")


def content_digest(raw: Mapping[str, Any]) -> str:
    """The digest of everything in a record, as `strict_json` gives it, but the digest."""
    return digest({key: value for key, value in raw.items() if key != "digest"}, canonical=True)


def _protocol(raw: Mapping[str, Any]) -> Protocol:
    try:
        return Protocol.of_record(raw)
    except TypeError as error:
        raise UserError(f"protocol is none: {error}") from error


def _check_id(raw: Mapping[str, Any]) -> None:
    policy = raw["threshold"]["policy"]
    what, dataset, protocol, maps = raw["recipe"]["what"], raw["dataset"], raw["protocol"], raw["maps"]
    expected = content_id(what, dataset, protocol, maps, policy, canonical=True)
    if raw["run_id"] != expected:
        raise UserError(
            f"run_id {raw['run_id']} does not match the run's content ({expected}): "
            "the record was edited"
        )


def _check_counts(raw: Mapping[str, Any]) -> None:
    if raw["n_images"] > raw["n_expected"]:
        raise UserError(f"n_images is {raw['n_images']}, more than the {raw['n_expected']} expected")


def _check_arrays(arrays: Mapping[str, str]) -> None:
    for name, its_hash in (("file", "sha256"), ("levels_file", "levels_sha256")):
        if (name in arrays) != (its_hash in arrays):
            raise UserError(f"arrays has one of {name} and {its_hash} without the other")


def _check_figures(raw: Mapping[str, Any]) -> None:
    """Figures lie in the range of their unit, intervals around their value."""
    said = raw.get("specifications", {})
    for key, entry in said.items():
        try:
            MetricSpecification.of_record(entry)
        except TypeError as error:
            raise UserError(f"specifications.{key} is none: {error}") from error
    for key, figure in raw["metrics"].items():
        percent = said.get(key.partition(":")[0], {}).get("unit", "percent") == "percent"
        _check_figure(f"metrics.{key}", figure, percent)


def _check_figure(place: str, figure: Mapping[str, float | None], percent: bool) -> None:
    value, low, high = figure["value"], figure["low"], figure["high"]
    if value is None and (low is not None or high is not None):
        raise UserError(f"{place} has an interval and no value")
    if (low is None) != (high is None):
        raise UserError(f"{place} has one bound of an interval without the other")
    known = [each for each in (low, value, high) if each is not None]
    if percent and known and not -TOLERANCE <= min(known) <= max(known) <= 100 + TOLERANCE:
        raise UserError(f"{place} holds {min(known):g} to {max(known):g}, not percent from 0 to 100")
    if any(first > second + TOLERANCE for first, second in pairwise(known)):
        raise UserError(f"{place}: the value {value} lies outside its interval [{low}, {high}]")
