"""Figures that do not follow from the arrays are found, whichever they are; the others are not."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from wsol.cli.main import main
from wsol.pipeline.results.verify import verify
from wsol.scores import level_counts
from wsol.scores.metrics import METRICS_VERSION
from wsol.scores.per_image import PerImage
from wsol.scores.protocol import Protocol
from wsol.scores.records import RunRecord, digest

TOP = Path(__file__).parents[3]


def change(path: Path, place: str, value: object) -> None:
    """Another value at a place of a record, its digest made anew: only the arrays can tell."""
    raw = json.loads(path.read_text())
    *parents, last = place.split(" ")
    part = raw
    for key in parents:
        part = part[key]
    assert part[last] != value
    part[last] = value
    raw["digest"] = digest({key: value for key, value in raw.items() if key != "digest"})
    path.write_text(json.dumps(raw))


@pytest.mark.parametrize("policy", ["oracle", "val", "fixed:0.2"])
@pytest.mark.parametrize("protocol", ["choe2020", "rubinstein2013"])
def test_what_evaluation_wrote_is_verified(scored, tmp_path, protocol, policy):
    scored(tmp_path, "cam", 1, policy, protocol=protocol)
    found = verify(tmp_path)
    assert (found.records, found.equal, found.findings, found.unverified) == (1, 1, [], [])


CHANGES = [
    ("metrics max_box_acc@0.5 value", 33.0),
    ("metrics max_box_acc@0.5 low", 0.5),
    ("metrics max_box_acc@0.5 high", 99.5),
    ("metrics top1_acc value", 50.001),
    ("metrics max_box_acc_v2 value", 60.0),
    ("metrics mean_iou value", None),
    ("threshold values gt_known_loc@0.5", 0.97),
    ("optimism max_box_acc@0.3", 0.0),
    ("optimism max_box_acc@0.3", None),
    ("counts constant_maps", 2),
]


@pytest.mark.parametrize(("place", "value"), CHANGES)
def test_a_changed_figure_is_found_and_named(scored, tmp_path, capsys, place, value):
    scored(tmp_path, "tdam", 2)
    path = scored(tmp_path, "cam", 1)
    if value is None and place.endswith("value"):
        for bound in ("low", "high"):
            change(path, place.removesuffix("value") + bound, None)
    elif place.endswith("value"):  # within its interval: no other check may be what finds it
        for bound, least in (("low", 0.0), ("high", 100.0)):
            change(path, place.removesuffix("value") + bound, least)
    change(path, place, value)
    assert main(["results", "verify", "--results", str(tmp_path)]) == 2
    output = capsys.readouterr()
    assert "2 records, 1 equal to what their arrays give, 1 different" in output.out
    named = [line for line in output.err.splitlines() if place.replace(" ", ".") in line]
    (line,) = named
    assert str(path) in line and "its arrays give" in line


def test_a_figure_of_one_class_is_found(scored, tmp_path):
    path = scored(tmp_path, "cam", 1, protocol="rubinstein2013")
    for bound, least in (("low", 0.0), ("high", 100.0)):
        change(path, f"metrics rubinstein_j:Horse {bound}", least)
    change(path, "metrics rubinstein_j:Horse value", 50.0)
    places = {line.split(": ")[1].split(" is ")[0] for line in verify(tmp_path).findings}
    assert places == {f"metrics.rubinstein_j:Horse.{part}" for part in ("value", "low", "high")}


def test_changed_arrays_are_found_whether_or_not_the_hash_was_changed_too(scored, tmp_path, capsys):
    scored(tmp_path, "tdam", 2)
    path = scored(tmp_path, "cam", 1)
    arrays = PerImage.load(path.with_suffix(".npz"))
    assert arrays.single is not None
    arrays.single[:10] = 50_000
    content = arrays.to_bytes()
    path.with_suffix(".npz").write_bytes(content)
    assert main(["results", "verify", "--results", str(tmp_path)]) == 2
    output = capsys.readouterr()
    assert f"{path.with_suffix('.npz')}: not the arrays" in output.err
    assert "1 left aside" in output.out
    change(path, "arrays sha256", hashlib.sha256(content).hexdigest())
    found = verify(tmp_path)
    assert found.differing == 1
    assert any("metrics.max_box_acc@0.5.value" in line for line in found.findings)


def test_arrays_of_another_protocol_are_no_proof(scored, tmp_path):
    path = scored(tmp_path, "cam", 1)
    raw = json.loads(path.read_text())
    other = RunRecord.read(scored(tmp_path / "other", "cam", 1, protocol="rubinstein2013")).arrays
    shutil.copy(tmp_path / "other/runs/birds/cam.npz", path.with_name("cam.npz"))
    assert raw["arrays"]["sha256"] != other["sha256"]
    change(path, "arrays sha256", other["sha256"])
    (finding,) = verify(tmp_path).findings
    assert "arrays of rubinstein2013 version 1 cannot be read as choe2020" in finding


def test_without_arrays_nothing_is_verified_and_it_says_so(scored, tmp_path, capsys):
    path = scored(tmp_path, "cam", 1)
    path.with_suffix(".npz").unlink()
    assert main(["results", "verify", "--results", str(tmp_path)]) == 0
    output = capsys.readouterr().out
    assert f"arrays not beside them: {path.parent} (1)" in output and "1 not verifiable here" in output
    assert main(["results", "verify", "--results", str(tmp_path), "--strict"]) == 2
    assert f"{path}: its arrays are not beside it" in capsys.readouterr().err


@pytest.fixture
def summed(scored, tmp_path):
    """A record of which only the sums over images are kept; with ``changed`` a figure is wrong."""

    def write(changed="", sums=None):
        path = scored(tmp_path, "cam", 1)
        arrays = path.with_suffix(".npz")
        record = RunRecord.read(path)
        per_image = PerImage.load(arrays)
        kept = level_counts.level_counts(per_image, Protocol.of_record(record.protocol))
        content = level_counts.to_bytes(kept if sums is None else sums)
        path.with_suffix(".levels.npz").write_bytes(content)
        arrays.unlink()
        named = {"levels_file": "cam.levels.npz", "levels_sha256": hashlib.sha256(content).hexdigest()}
        dataclasses.replace(record, arrays=record.arrays | named).write(path)
        if changed:
            change(path, f"metrics {changed} value", record.metrics[changed]["low"])
        return path

    return write


def test_of_sums_alone_maxboxacc_is_verified(summed, tmp_path, capsys):
    summed()
    assert main(["results", "verify", "--results", str(tmp_path)]) == 0
    said = "0 different, 1 not verifiable here (the MaxBoxAcc of 1 is what their sums give)"
    assert said in capsys.readouterr().out


@pytest.mark.parametrize("key", ["max_box_acc@0.3", "max_box_acc_v2@0.7", "max_box_acc_v2"])
def test_a_figure_that_the_sums_do_not_give_is_named(summed, tmp_path, capsys, key):
    path = summed(changed=key)
    low = RunRecord.read(path).metrics[key]["low"]
    assert main(["results", "verify", "--results", str(tmp_path)]) == 2
    output = capsys.readouterr()
    assert f"{path}: metrics.{key}.value is {low:.10g}, the sums beside it give" in output.err
    assert "1 different, 1 not verifiable here," in output.out


def test_damaged_sums_are_named(summed, tmp_path):
    path = summed(sums={"right_single": np.zeros((3, 5), np.int64)})
    (finding,) = verify(tmp_path).findings
    assert finding.startswith(f"{path.with_suffix('.levels.npz')}: sums that cannot be read")


def test_a_metric_from_outside_is_neither_imported_nor_believed(scored, tmp_path, capsys):
    path = scored(tmp_path, "cam", 1)
    change(path, "protocol metrics", ["nowhere.to.be.found:Metric"])
    raw = json.loads(path.read_text())
    raw["metrics"]["mine"] = {"value": 4.0, "low": None, "high": None}
    path.write_text(json.dumps(raw))
    change(path, "metrics mine value", 5.0)
    assert main(["results", "verify", "--results", str(tmp_path)]) == 0
    assert "1 figures of metrics from outside not verifiable" in capsys.readouterr().out


def test_figures_of_another_version_of_the_metrics_are_not_compared(scored, tmp_path, monkeypatch):
    monkeypatch.setattr("wsol.pipeline.results.verify.METRICS_VERSION", METRICS_VERSION + 1)
    scored(tmp_path, "cam", 1)
    found = verify(tmp_path)
    assert (found.equal, found.other_version) == (0, 1)
    assert "wsol results rescore" in found.findings[0]


def test_a_few_committed_records_are_verified(tmp_path):
    """All of them take a minute: `wsol results verify --results results`."""
    for pattern in ("clutter/*rfga*seed0*", "clutter/center*", "Object*/*center*", "ILSVRC*/*features*"):
        path = next(path for path in sorted((TOP / "results/runs").glob(f"{pattern}.json")))
        (tmp_path / "runs").mkdir(exist_ok=True)
        shutil.copy(path, tmp_path / "runs")
        shutil.copy(path.with_suffix(".npz"), tmp_path / "runs")
    found = verify(tmp_path)
    assert (found.records, found.equal, found.findings) == (4, 4, [])


# --- weights of training runs ---


def run_folder(runs: Path, name: str, content: bytes = b"weights") -> Path:
    folder = runs / name
    folder.mkdir(parents=True)
    (folder / "last.safetensors").write_bytes(content)
    said = {"weights": {"last.safetensors": hashlib.sha256(content).hexdigest()}}
    (folder / "run.json").write_text(json.dumps(said))
    return folder


def test_one_byte_of_weights_is_found(scored, tmp_path, capsys):
    scored(tmp_path, "cam", 1)
    for name in ("a", "b"):
        folder = run_folder(tmp_path / "train", name)
    arguments = ["results", "verify", "--results", str(tmp_path), "--runs", str(tmp_path / "train")]
    assert main(arguments) == 0
    assert "2 files of weights as they were written" in capsys.readouterr().out
    (folder / "last.safetensors").write_bytes(b"wejghts")
    assert main(arguments) == 2
    assert f"{folder / 'last.safetensors'}: not the weights" in capsys.readouterr().err


NONSENSE = ["", "[]", '{"weights": 3}', '{"weights": {"../x": "00"}}', "[" * 9999]


@pytest.mark.parametrize("content", NONSENSE, ids=range(len(NONSENSE)))
def test_a_run_that_says_nonsense_is_named(scored, tmp_path, content):
    scored(tmp_path, "cam", 1)
    folder = run_folder(tmp_path / "train", "a")
    (folder / "run.json").write_text(content)
    (finding,) = verify(tmp_path, tmp_path / "train").findings
    assert str(folder) in finding


def test_a_folder_without_runs_is_named(scored, tmp_path, capsys):
    scored(tmp_path, "cam", 1)
    assert main(["results", "verify", "--results", str(tmp_path), "--runs", str(tmp_path / "x")]) == 2
    assert "cannot be read" in capsys.readouterr().err
