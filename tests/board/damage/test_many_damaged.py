"""Several damaged records at once, and folders in which no record is sound."""

from wsol.cli.main import main


def test_two_files_of_one_run_that_differ_are_both_left_aside(bank, forge, is_named_and_left_aside):
    other = bank.with_name("zz.json")
    forge("metrics max_box_acc@0.5 value", 60, other)
    is_named_and_left_aside(f"{bank} and {other}: one run")


def test_many_are_named_and_the_rest_counted(bank, capsys):
    for number in range(25):
        (bank.parent / f"bad{number:02}.json").write_text("{")
    assert main(["leaderboard", "--results", str(bank.parent.parent)]) == 2
    lines = capsys.readouterr().err.splitlines()
    # Alike, so that one line has them: the first, and the places of three others.
    (line,) = lines
    assert "bad00.json: not a run record" in line and "(and 24 more like it: " in line
    assert line.count("bad") == 4


def test_damaged_records_of_many_kinds_are_named_one_by_one(bank, capsys):
    for number, content in enumerate(["{", "[]", '{"a": NaN}']):
        (bank.parent / f"bad{number}.json").write_text(content)
    assert main(["leaderboard", "--results", str(bank.parent.parent)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert [line.count(f"bad{number}.json") for number, line in enumerate(lines)] == [1, 1, 1]


def test_a_folder_of_damaged_records_alone_has_no_board(store, results, capsys):
    store("only").write_text("{")
    assert main(["leaderboard", "--results", str(results)]) == 2
    assert "only.json: not a run record" in capsys.readouterr().err
    assert not (results / "leaderboard.csv").exists()


def test_no_record_at_all_says_how_to_name_another_folder(tmp_path, capsys):
    assert main(["leaderboard", "--results", str(tmp_path)]) == 2
    assert "--results" in capsys.readouterr().err
