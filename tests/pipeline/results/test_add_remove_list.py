"""Folders of results are merged, and rows leave them, with all that is theirs and nothing else."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import pytest

from wsol.cli.main import main
from wsol.pipeline.results import add as adding
from wsol.scores.records import RunRecord, digest


def other_content(path: Path, said: dict[str, object] | None = None) -> None:
    raw = json.loads(path.read_text())
    raw |= said or {"counts": {"constant_maps": 7}}
    raw["digest"] = digest({key: value for key, value in raw.items() if key != "digest"})
    path.write_text(json.dumps(raw))


@pytest.fixture
def two(scored, tmp_path) -> tuple[Path, Path]:
    """Two machines' folders: both have ``both``, each has one more."""
    here, there = tmp_path / "here", tmp_path / "there"
    for folder, name in ((here, "mine"), (there, "theirs")):
        scored(folder, "both", 0)
        scored(folder, name, 1)
    return here, there


def test_two_machines_folders_become_one(two, files_of, capsys):
    here, there = two
    mine, theirs = files_of(here), files_of(there)
    assert main(["results", "add", str(there), "--results", str(here)]) == 0
    assert "1 new, 0 to be completed, 1 already here, 0 left out" in capsys.readouterr().out
    assert files_of(here) == theirs | mine
    assert len(files_of(here)) == 9  # three runs: record, arrays, gallery each
    assert files_of(there) == theirs
    assert main(["leaderboard", "--results", str(here)]) == 0
    # Again it has nothing to do.
    assert main(["results", "add", str(there), "--results", str(here)]) == 0
    assert "0 new, 0 to be completed, 2 already here" in capsys.readouterr().out


def test_a_plan_alone_copies_nothing(two, files_of, capsys):
    here, there = two
    before = files_of(here)
    assert main(["results", "add", str(there), "--results", str(here), "--dry-run"]) == 0
    assert "new: runs/birds/theirs.json, runs/birds/theirs.npz, report/" in capsys.readouterr().out
    assert files_of(here) == before


def test_into_a_folder_that_is_not_there_yet(two, files_of, tmp_path):
    _, there = two
    assert main(["results", "add", str(there), "--results", str(tmp_path / "new")]) == 0
    assert files_of(tmp_path / "new") == files_of(there)


def test_the_same_run_with_other_content_is_named_and_left_out(two, files_of, capsys):
    here, there = two
    mine = files_of(here)
    other_content(there / "runs/birds/both.json")
    assert main(["results", "add", str(there), "--results", str(here)]) == 2
    error = capsys.readouterr().err
    assert f"{there / 'runs/birds/both.json'}: {here / 'runs/birds/both.json'} is the same run" in error
    after = files_of(here)
    assert {name for name in after if "theirs" in name} and mine.items() <= after.items()
    assert main(["results", "add", str(there), "--results", str(here), "--skip"]) == 0


def test_a_run_made_again_at_another_time_and_place_is_the_same_run(two, files_of, capsys):
    here, there = two
    mine = files_of(here)
    other_content(
        there / "runs/birds/both.json",
        {
            "git_commit": "abc",
            "started": "2031-01-01T00:00:00+00:00",
            "cost": {"images_per_second": 3.5},
        },
    )
    assert main(["results", "add", str(there), "--results", str(here)]) == 0
    assert "1 new, 0 to be completed, 1 already here, 0 left out" in capsys.readouterr().out
    assert {name: files_of(here)[name] for name in mine} == mine


def test_damaged_records_stay_where_they_are(two, files_of, capsys):
    here, there = two
    mine = files_of(here)
    (there / "runs/birds/theirs.json").write_text("{")
    assert main(["results", "add", str(there), "--results", str(here)]) == 2
    assert "theirs.json: not a run record" in capsys.readouterr().err
    assert files_of(here) == mine


@pytest.mark.parametrize("taken", ["theirs.json", "theirs.npz"])
def test_a_place_that_is_taken_is_not_overwritten(two, files_of, capsys, taken):
    here, there = two
    (here / "runs/birds" / taken).write_text("something else")
    mine = files_of(here)
    assert main(["results", "add", str(there), "--results", str(here)]) == 2
    assert f"{here / 'runs/birds' / taken} is another file" in capsys.readouterr().err
    assert files_of(here) == mine


@pytest.mark.parametrize("lost", ["both.npz", "gallery"])
def test_what_a_run_here_lacks_is_brought(two, files_of, lost):
    here, there = two
    expected = files_of(there) | files_of(here)
    run_id = RunRecord.read(here / "runs/birds/both.json").run_id
    if lost == "gallery":
        shutil.rmtree(here / "report" / run_id)
    else:
        (here / "runs/birds" / lost).unlink()
    assert main(["results", "add", str(there), "--results", str(here)]) == 0
    assert files_of(here) == expected


@pytest.mark.parametrize("stops_at", range(1, 4))
def test_stopped_anywhere_a_run_is_whole_or_no_row(two, files_of, monkeypatch, stops_at):
    here, there = two
    expected = files_of(there) | files_of(here)
    copies = 0

    def counted(copy):
        def stopped(source, place):
            nonlocal copies
            copies += 1
            if copies == stops_at:
                raise KeyboardInterrupt
            copy(source, place)

        return stopped

    for name in ("_copy", "_copy_folder"):
        monkeypatch.setattr(adding, name, counted(getattr(adding, name)))
    assert main(["results", "add", str(there), "--results", str(here)]) == 130
    assert not (here / "runs/birds/theirs.json").exists()
    assert main(["leaderboard", "--results", str(here)]) == 0
    copies = 10
    assert main(["results", "add", str(there), "--results", str(here)]) == 0
    found = files_of(here)
    assert {name: found[name] for name in expected} == expected


def test_a_folder_is_not_added_to_itself(two, capsys):
    here, _ = two
    assert main(["results", "add", str(here), "--results", str(here / ".." / "here")]) == 2
    assert "these are the results themselves" in capsys.readouterr().err


def test_a_folder_without_records_is_named(two, tmp_path, capsys):
    assert main(["results", "add", str(tmp_path / "x"), "--results", str(two[0])]) == 2
    assert f"{tmp_path / 'x'}" in capsys.readouterr().err


# --- remove ---


def names(results: Path, file: str) -> list[str]:
    """What a run may be called: its id, the start of it, its file, its row."""
    record = RunRecord.read(results / "runs/birds" / f"{file}.json")
    row = f"test, {file}, choe2020(step=0.01), oracle"
    return [record.run_id, record.run_id[:6], file, f"{file}.json", row, f"birds: {row}, maps cam"]


@pytest.mark.parametrize("way", range(6))
def test_a_run_leaves_with_arrays_and_gallery(two, files_of, capsys, way):
    here, _ = two
    called = names(here, "mine")[way]
    run_id = names(here, "mine")[0]
    before = files_of(here)
    assert main(["results", "remove", called, "--results", str(here), "--dry-run"]) == 0
    assert files_of(here) == before
    assert main(["results", "remove", called, "--results", str(here)]) == 0
    gone = {"runs/birds/mine.json", "runs/birds/mine.npz", f"report/{run_id}/index.json"}
    assert files_of(here) == {name: content for name, content in before.items() if name not in gone}
    output = capsys.readouterr().out
    assert all(name.removesuffix("/index.json") in output for name in gone)


def test_a_row_leaves_with_all_its_seeds(scored, tmp_path, capsys, files_of):
    what: dict = {"recipe": {"what": {"seed": 3}, "how": {}}}
    scored(tmp_path, "other", 3, maps="center", run_id="", **what)
    kept = files_of(tmp_path)
    for seed in (0, 1):
        scored(tmp_path, f"cam{seed}", seed, recipe={"what": {"seed": seed}, "how": {}}, run_id="")
    shutil.rmtree(tmp_path / "report")
    kept = {name: content for name, content in kept.items() if not name.startswith("report")}
    capsys.readouterr()
    assert main(["results", "list", "--results", str(tmp_path), "--csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert {row["maps"] for row in rows} == {"cam", "center"}
    called = {row["row"] for row in rows}
    assert called == {"test, choe2020(step=0.01), oracle"}
    assert main(["results", "remove", called.pop(), "--results", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert "2 rows are called" in error
    full = next(line.strip() for line in error.splitlines() if line.endswith("maps cam"))
    assert main(["results", "remove", full, "--results", str(tmp_path)]) == 0
    assert files_of(tmp_path) == kept


@pytest.mark.parametrize("way", ["name", "place", "printed", "id"])
def test_a_damaged_record_can_be_removed_by_all_that_names_it(two, files_of, way):
    here, _ = two
    path = here / "runs/birds/mine.json"
    run_id = RunRecord.read(path).run_id
    if way == "id":  # as files of evaluations are called
        path = path.rename(path.with_name(f"mine-{run_id}.json"))
    path.write_text("{")
    called = {"name": "mine", "place": "runs/birds/mine.json", "printed": str(path), "id": run_id}[way]
    assert main(["results", "remove", called, "--results", str(here)]) == 0
    assert not {name for name in files_of(here) if name.endswith(".json") and "mine" in name}
    assert main(["leaderboard", "--results", str(here)]) == 0


def test_arrays_that_another_record_names_stay(scored, tmp_path):
    first = scored(tmp_path, "first", 1)
    other = scored(tmp_path, "other", 1, arrays=RunRecord.read(first).arrays)
    assert main(["results", "remove", "other", "--results", str(tmp_path)]) == 0
    assert not other.exists() and first.with_suffix(".npz").exists()


@pytest.mark.parametrize("called", ["theirs", "ffff", "../there/theirs", "", "mines"])
def test_what_is_not_there_is_said(two, files_of, capsys, called):
    here, _ = two
    before = files_of(here)
    assert main(["results", "remove", called, "--results", str(here)]) == 2
    error = capsys.readouterr().err
    assert "no row, run or record is called" in error and error.count("\n") == 1
    assert files_of(here) == before


# --- list ---


def test_the_list_says_of_each_record_what_it_is(two, capsys):
    here, _ = two
    (here / "runs/birds/mine.npz").unlink()
    assert main(["results", "list", "--results", str(here), "--csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    for row in rows:
        record = RunRecord.read(here / row["file"])
        assert row["run_id"] == record.run_id
        assert float(row["figure"]) == pytest.approx(record.metrics[row["metric"]]["value"], abs=5e-4)
        assert row["verifiable"] == ("no" if "mine" in row["file"] else "yes")
        assert row["metrics_version"] == str(record.metrics_version)
    assert len(rows) == 2
    assert main(["results", "list", "--results", str(here)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4 and lines[0] == "birds: max_box_acc@0.5"
    assert lines[1].split()[:3] == ["run_id", "seed", "figure"]


@pytest.mark.parametrize("argv", [["verfy"], ["list", "--cvs"], ["add"], ["remove"]])
def test_wrong_use_is_one_line(argv, capsys):
    assert main(["results", *argv]) == 2
    assert capsys.readouterr().err.count("\n") == 1
