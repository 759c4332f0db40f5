"""Records: their identity, their round trip, and what they refuse."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from wsol.errors import UserError
from wsol.scores.metrics.specification import MetricSpecification
from wsol.scores.records import RunRecord, content_id, digest

DATASET = {"name": "clutter", "manifest_hash": "ab" * 32, "split": "test"}
NOTHING = {"value": None, "low": None, "high": None}
PROTOCOL = {"name": "choe2020", "version": 1, "step": 0.001}


def record(**changes) -> RunRecord:
    fields = {
        "recipe": {"what": {"seed": 0, "training": {"lr": 0.1}}, "how": {"device": "cpu"}},
        "dataset": DATASET,
        "protocol": PROTOCOL,
        "maps": "cam",
        "threshold": {"policy": "oracle", "chosen_on": "test", "values": {}},
        "metrics": {"top1_acc": {"value": 50.0, "low": 40.0, "high": 60.0}},
        "n_images": 2,
        "n_expected": 2,
    }
    return RunRecord(**(fields | changes))


def test_digest_is_sha256_of_the_canonical_spelling():
    by_hand = hashlib.sha256(b'{"a":[1,2.5],"b":null}').hexdigest()
    assert digest({"b": None, "a": (1.0, 2.5)}) == by_hand
    assert digest({"a": np.array([1, 2.5]), "b": None}) == by_hand


def test_id_ignores_how_and_sees_every_part_of_what_was_run():
    first = record()
    elsewhere = record(recipe={"what": first.recipe["what"], "how": {"device": "cuda"}})
    assert elsewhere.run_id == first.run_id
    changes = [
        {"recipe": {"what": {"seed": 1, "training": {"lr": 0.1}}}},
        {"dataset": DATASET | {"manifest_hash": "cd" * 32}},
        {"dataset": DATASET | {"split": "val"}},
        {"protocol": PROTOCOL | {"version": 2}},
        {"protocol": PROTOCOL | {"step": 0.01}},
        {"maps": "features"},
        {"threshold": {"policy": "val"}},
    ]
    ids = {record(**change).run_id for change in changes}
    assert len(ids | {first.run_id}) == len(changes) + 1


def test_thresholds_are_shares_of_a_maps_range_unless_their_metric_says_otherwise(tmp_path):
    figure = {"fpr": {"value": 5.0, "low": None, "high": None}}
    said = MetricSpecification(key="fpr", name="FPR", raw_threshold=True, lower_is_better=True)
    changes = {
        "metrics": figure,
        "threshold": {"policy": "val", "chosen_on": "val", "values": {"fpr": -7.5}},
    }
    again = RunRecord.read(record(**changes, specifications={"fpr": said}).write(tmp_path / "a.json"))
    assert again.threshold["values"] == {"fpr": -7.5}
    assert again.specifications["fpr"] == said
    plain = MetricSpecification(key="fpr", name="FPR")
    with pytest.raises(UserError, match=r"threshold\.values\.fpr is -7\.5, not a number from 0"):
        record(**changes, specifications={"fpr": plain}).write(tmp_path / "b.json")


def test_written_record_reads_back_equal_and_rewrites_the_same_bytes(tmp_path):
    path = record().write(tmp_path / "deep" / "run.json")
    again = RunRecord.read(path)
    assert again == record()
    assert again.to_json() == path.read_text()
    assert list((tmp_path / "deep").iterdir()) == [path]


@pytest.mark.parametrize("schema", [1, 2])
def test_a_record_of_an_older_schema_gets_what_it_lacks_and_keeps_its_id(tmp_path, schema):
    path = record().write(tmp_path / "run.json")
    raw = json.loads(path.read_text())
    assert raw["schema_version"] == 3
    del raw["specifications"], raw["digest"], raw["metrics_version"]
    raw |= {
        "schema_version": schema,
        "protocol": PROTOCOL | {"normalisation": "minmax", "contours": "x"},
    }
    path.write_text(json.dumps(raw))
    again = RunRecord.read(path)
    assert again.run_id == record().run_id
    assert again.specifications["top1_acc"].name == "Top-1 acc"
    assert again.metrics_version == 1
    assert json.loads(again.to_json())["schema_version"] == 3


def test_the_digest_is_that_of_everything_else(tmp_path):
    raw = json.loads(record().write(tmp_path / "run.json").read_text())
    said = raw.pop("digest")
    text = json.dumps(raw, sort_keys=True, separators=(",", ":"))
    assert said == hashlib.sha256(text.encode()).hexdigest()


def test_a_specification_is_kept_as_it_was_said(tmp_path):
    said = MetricSpecification(key="top1_acc", name="Right", unit="share", main_column=7)
    other = MetricSpecification(key="mine", name="Mine", needs=("boxes", "masks"))
    metrics = {"top1_acc": NOTHING, "mine": NOTHING, "pxap": NOTHING}
    one = record(metrics=metrics, specifications={"top1_acc": said, "mine": other})
    again = RunRecord.read(one.write(tmp_path / "run.json"))
    assert again.specifications["top1_acc"] == said
    assert again.specifications["mine"] == other
    assert again.specifications["pxap"].name == "PxAP"
    assert again.run_id == record().run_id


def test_every_committed_record_reads_and_says_what_its_metrics_are():
    paths = sorted((Path(__file__).parents[2] / "results" / "runs").rglob("*.json"))
    assert len(paths) >= 148
    for path in paths:
        one = RunRecord.read(path)
        assert path.stem.endswith(one.run_id)
        assert {key.partition(":")[0] for key in one.metrics} == set(one.specifications)
        # None of them is unknown: an unknown key would be its own name.
        assert all(said.name != key for key, said in one.specifications.items())


def test_edited_record_is_refused_with_its_name(tmp_path):
    path = record().write(tmp_path / "run.json")
    raw = json.loads(path.read_text())
    raw["maps"] = "center"
    path.write_text(json.dumps(raw))
    with pytest.raises(ValueError, match=r"run\.json.*does not match its digest"):
        RunRecord.read(path)
    del raw["digest"]
    path.write_text(json.dumps(raw | {"schema_version": 2}))
    with pytest.raises(ValueError, match=r"run\.json.*run_id .* does not match the run's content"):
        RunRecord.read(path)


@pytest.mark.parametrize("content", ["", "[]", "{", '{"schema_version": 99}', '{"schema_version": 1}'])
def test_not_a_record(tmp_path, content):
    path = tmp_path / "other.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=r"other\.json: not a run record"):
        RunRecord.read(path)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"metrics": {"top1_acc": {"value": float("nan"), "low": None, "high": None}}}, "JSON"),
        ({"metrics": {"top1_acc": {"value": 101.0, "low": None, "high": None}}}, "not percent"),
        ({"n_images": 3}, "n_images is 3, more than the 2 expected"),
        ({"arrays": {"file": "../x.npz", "sha256": "0" * 64}}, "without folders"),
        ({"maps": "half a letter \ud800"}, "not UTF-8"),
    ],
)
def test_what_no_reader_takes_is_not_written(tmp_path, changes, words):
    bad = record(**changes)
    with pytest.raises(ValueError, match=words):
        bad.write(tmp_path / "run.json")
    assert not list(tmp_path.iterdir())


def test_content_id_needs_no_notes():
    what = {"seed": 0}
    plain = content_id(what, DATASET, PROTOCOL, "cam", "oracle")
    with_notes = content_id(what, DATASET | {"title": "x"}, PROTOCOL | {"size": 224}, "cam", "oracle")
    assert with_notes == plain
