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
from wsol.scores.records.description import READABLE_SCHEMA, RECORD, SCHEMA_VERSION
from wsol.scores.records.identity import content_id, digest
from wsol.scores.records.kinds import number, parts, table

_SHARES = parts({"threshold": parts({"values": table(number(0, below=1))})})
TOLERANCE = 1e-9  # of bounds that a float may miss by its last bits


def check(raw: Any) -> None:
    """`UserError` in one line where ``raw``, what `strict_json` gave, is no sound record.

    Types, ranges, counts that agree, names without folders, the run's id, and the digest of the content.
    Records of schema 1 and 2 have no digest.
    """
    READABLE_SCHEMA(raw)
    if raw["schema_version"] == SCHEMA_VERSION:
        _check_digest(raw)
    RECORD(raw)
    ThresholdPolicy.parse(raw["threshold"]["policy"])
    _check_thresholds(raw)
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


def _check_thresholds(raw: Mapping[str, Any]) -> None:
    """Those of normalised maps are shares of their range; of others any number is one."""
    said = raw.get("specifications", {})
    values = raw["threshold"].get("values", {})
    shares = {key: each for key, each in values.items() if not said.get(key, {}).get("raw_threshold")}
    _SHARES({"threshold": {"values": shares}})


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
