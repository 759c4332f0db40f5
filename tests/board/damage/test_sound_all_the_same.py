"""What looks like damage and is none: missing arrays, copies, older schemas."""

import json
import shutil

import pytest

from wsol.cli.main import main


def test_missing_arrays_are_noted_and_the_figures_stay(bank, board, capsys):
    results = bank.parent.parent
    bank.with_suffix(".npz").unlink()
    for _ in range(2):
        assert main(["leaderboard", "--results", str(results)]) == 0
        error = capsys.readouterr().err
        assert error == f"wsol: note: {bank}: its arrays victim.npz are not beside it\n"
    assert b"rfga" in board(results)["leaderboard.csv"]


def test_large_arrays_may_lie_elsewhere(bank, forge, capsys):
    forge("arrays file", "victim.large.npz")
    assert main(["leaderboard", "--results", str(bank.parent.parent)]) == 0
    assert capsys.readouterr().err == ""


def test_a_copy_of_a_run_is_noted_and_counts_once(bank, board, capsys):
    results = bank.parent.parent
    assert main(["leaderboard", "--results", str(results)]) == 0
    expected = board(results)
    (bank.parent / "z").mkdir()
    for path in (bank, bank.with_suffix(".npz")):
        shutil.copy(path, bank.parent / "z")
    assert main(["leaderboard", "--results", str(results)]) == 0
    assert f"{bank.parent / 'z' / bank.name}: the same run as {bank}" in capsys.readouterr().err
    assert board(results) == expected


@pytest.mark.parametrize("schema", [1, 2])
def test_records_of_older_schemas_are_read_without_a_digest(bank, board, capsys, schema):
    results = bank.parent.parent
    assert main(["leaderboard", "--results", str(results)]) == 0
    expected = board(results)
    raw = json.loads(bank.read_text())
    del raw["digest"], raw["metrics_version"]
    raw["schema_version"] = schema
    bank.write_text(json.dumps(raw))
    assert main(["leaderboard", "--results", str(results)]) == 0
    assert capsys.readouterr().err == ""
    assert board(results) == expected
