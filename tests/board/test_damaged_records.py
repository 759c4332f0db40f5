"""Records that were changed or damaged: each is named in one line and left aside, the board of the
others stands to the byte. Two kinds: files that are no records at all, and *forged* ones, whose digest
and run id were made anew, so that only the checks of the content itself can find them."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wsol.cli.main import main
from wsol.scores.per_image import PerImage
from wsol.scores.records import content_id, digest

COUNT = 12
VICTIM = "victim"


def arrays(seed: int) -> bytes:
    generator = np.random.default_rng(seed)
    return PerImage(
        image_ids=np.array([f"image/{n}" for n in range(COUNT)]),
        labels=np.zeros(COUNT, np.int32),
        sizes=np.full((COUNT, 2), 100, np.int32),
        protocol=("choe2020", 1, 0.001),
        top1=np.ones(COUNT, np.int8),
        top5=np.ones(COUNT, np.int8),
        has_box=np.ones(COUNT, bool),
        top=np.full(COUNT, 255, np.uint8),
        single=generator.integers(0, 50_001, (COUNT, 256), dtype=np.uint16),
        all=generator.integers(0, 101, (COUNT, 256), dtype=np.uint8),
    ).to_bytes()


@pytest.fixture
def bank(store, results) -> Path:
    """Four sound records with arrays, the centred box among them; gives the victim's file."""
    rows: dict[str, dict[str, Any]] = {
        "cam": {"metrics": {"max_box_acc@0.5": 61.0}},
        "center": {"maps": "center", "what": {"source": "center"}, "metrics": {"max_box_acc@0.5": 50.0}},
        "tdam": {"attention": "tdam"},
        VICTIM: {"attention": "rfga", "threshold": THRESHOLD, "optimism": {"max_box_acc@0.5": 0.5}},
    }
    for seed, (name, changes) in enumerate(rows.items()):
        content = arrays(seed)
        beside = {"file": f"{name}.npz", "sha256": hashlib.sha256(content).hexdigest()}
        path = store(name, **{"threshold": THRESHOLD, "arrays": beside, **changes})
        path.with_suffix(".npz").write_bytes(content)
    return results / "runs" / f"{VICTIM}.json"


THRESHOLD = {"policy": "oracle", "chosen_on": "test", "values": {"max_box_acc@0.5": 0.25}}


def board(results: Path) -> dict[str, bytes]:
    return {name: (results / name).read_bytes() for name in ("leaderboard.csv", "leaderboard.md")}


def without_victim(path: Path, tmp_path: Path) -> dict[str, bytes]:
    """The board of the other records, made in another folder."""
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(path.parent, elsewhere / "runs")
    (elsewhere / "runs" / path.name).unlink()
    assert main(["leaderboard", "--results", str(elsewhere)]) == 0
    return board(elsewhere)


def is_named_and_left_aside(path: Path, expected: dict[str, bytes], capsys, words: str, name="") -> None:
    results = path.parent.parent
    capsys.readouterr()
    for _ in range(2):  # what a first board remembers may not hide it from the second
        assert main(["leaderboard", "--results", str(results)]) == 2
        output = capsys.readouterr()
        lines = [line for line in output.err.splitlines() if not line.startswith("wsol: note")]
        assert len(lines) == 1, output.err
        assert lines[0].startswith("wsol: error: ") and (name or path.name) in lines[0]
        assert words in lines[0]
        assert board(results) == expected


# --- forged content: (place, value, what the line says) ---

GONE = object()
FIGURE = "metrics max_box_acc@0.5"
FORGED: list[tuple[str, Any, str]] = [
    ("n_images", "many", "n_images is 'many', not a whole number, 0 or more"),
    ("n_images", -1, "n_images is -1"),
    ("n_images", 250.5, "n_images is 250.5"),
    ("n_images", True, "n_images is True"),
    ("n_images", None, "n_images is null"),
    ("n_images", 6000, "n_images is 6000, more than the 5794 expected"),
    ("n_expected", [], "n_expected is []"),
    (f"{FIGURE} value", "58", "metrics.max_box_acc@0.5.value is '58', not a number"),
    (f"{FIGURE} value", 580, "not percent from 0 to 100"),
    (f"{FIGURE} value", 10**17, "not percent from 0 to 100"),
    (f"{FIGURE} value", True, "value is True"),
    (f"{FIGURE} value", 99.9, "lies outside its interval [52, 64]"),
    (f"{FIGURE} value", None, "an interval and no value"),
    (f"{FIGURE} low", -3, "not percent from 0 to 100"),
    (f"{FIGURE} low", None, "one bound of an interval without the other"),
    (f"{FIGURE} low", 59, "lies outside its interval [59, 64]"),
    (f"{FIGURE} high", 101, "not percent from 0 to 100"),
    (f"{FIGURE} high", GONE, "metrics.max_box_acc@0.5.high is missing"),
    (f"{FIGURE} median", 58, "nobody knows"),
    (FIGURE, 58, "metrics.max_box_acc@0.5 is 58, not an object"),
    (FIGURE, None, "is null, not an object"),
    ("metrics", [], "metrics is [], not an object"),
    ("metrics", GONE, "metrics is missing"),
    ("maps", "", "maps is '', not text, not empty"),
    ("maps", 3, "maps is 3"),
    ("threshold policy", "best", "unknown threshold policy 'best'"),
    ("threshold policy", "fixed:2", "fixed threshold 2.0 is not in [0, 1)"),
    ("threshold policy", 0.2, "threshold.policy is 0.2, not text"),
    ("threshold values max_box_acc@0.5", 1, "not a number from 0 to below 1"),
    ("threshold values max_box_acc@0.5", -0.1, "not a number from 0 to below 1"),
    ("threshold values max_box_acc@0.5", "0.5", "threshold.values.max_box_acc@0.5 is '0.5'"),
    ("threshold values", [0.5], "threshold.values is [0.5], not an object"),
    ("optimism max_box_acc@0.5", "high", "optimism.max_box_acc@0.5 is 'high'"),
    ("protocol name", GONE, "protocol.name is missing"),
    ("protocol version", "1", "protocol.version is '1'"),
    ("protocol step", 0, "protocol.step is 0"),
    ("protocol step", "fine", "protocol.step is 'fine'"),
    ("protocol iou_percents", [30, "50"], "protocol.iou_percents[1] is '50'"),
    ("protocol policy", "worst", "unknown threshold policy 'worst'"),
    ("protocol", "choe2020", "protocol is 'choe2020', not an object"),
    ("dataset name", 7, "dataset.name is 7"),
    ("dataset split", None, "dataset.split is null"),
    ("dataset manifest_hash", GONE, "dataset.manifest_hash is missing"),
    ("dataset title", ["Birds"], "dataset.title is ['Birds'], not text"),
    ("recipe what", None, "recipe.what is null"),
    ("recipe how", GONE, "recipe.how is missing"),
    ("recipe what seed", "zero", "recipe.what.seed is 'zero'"),
    ("recipe what attention", ["rfga"], "recipe.what.attention is ['rfga'], not an object"),
    ("recipe what attention options", [1], "recipe.what.attention.options is [1]"),
    ("recipe what attention at", 5, "recipe.what.attention.at is 5, not a list"),
    ("recipe what data input_size", "large", "recipe.what.data.input_size is 'large'"),
    ("recipe what training epochs", "many", "recipe.what.training.epochs is 'many'"),
    ("recipe what training lr", [0.1], "recipe.what.training.lr is [0.1], not a number"),
    ("recipe what training milestones", 15, "recipe.what.training.milestones is 15, not a list"),
    ("recipe how tuning_trials", "a few", "recipe.how.tuning_trials is 'a few'"),
    ("recipe how source", "mine", "recipe.how.source is 'mine', not an object"),
    ("arrays file", "../../secret.npz", "without folders"),
    ("arrays file", "/tmp/secret.npz", "without folders"),
    ("arrays file", "sub\\secret.npz", "without folders"),
    ("arrays file", ".npz", "without folders"),
    ("arrays file", "passwords", "the name of an .npz file"),
    ("arrays sha256", "abc", "a SHA-256 of 64 hex digits"),
    ("arrays sha256", "0" * 64, "not the arrays"),
    ("arrays sha256", GONE, "arrays has one of file and sha256 without the other"),
    ("counts nan_maps", -2, "counts.nan_maps is -2"),
    ("counts nan_maps", 1.5, "counts.nan_maps is 1.5"),
    ("cost params", "25M", "cost.params is '25M'"),
    ("cost gflops", -1, "cost.gflops is -1"),
    ("cost map_size", 14, "cost.map_size is 14, not a list"),
    ("seeds training", None, "seeds.training is null"),
    ("versions torch", 2, "versions.torch is 2, not text"),
    ("git_commit", 1, "git_commit is 1"),
    ("started", "yesterday", "started is 'yesterday', not a date and time"),
    ("finished", 20261121, "finished is 20261121, not a date and time"),
    ("metrics_version", 0, "metrics_version is 0"),
    ("specifications max_box_acc@0.5 rank", "first", "rank is 'first'"),
    ("specifications max_box_acc@0.5 colour", "red", "nobody knows"),
    ("colour", "red", "colour is a key that nobody knows"),
    ("schema_version", 99, "schema_version is 99, not one that this wsol reads: 1, 2, 3"),
    ("schema_version", "3", "schema_version is '3'"),
    ("schema_version", GONE, "schema_version is missing"),
]


def edited(raw: dict[str, Any], place: str, value: Any) -> dict[str, Any]:
    """``raw`` with another value at a place, ``recipe what seed``; its id and digest made anew."""
    *parents, last = place.split()
    part = raw
    for key in parents:
        part = part.setdefault(key, {})
    if value is GONE:
        del part[last]
    else:
        part[last] = value
    try:
        recipe, policy = raw["recipe"], raw["threshold"]["policy"]
        found = content_id(recipe["what"], raw["dataset"], raw["protocol"], raw["maps"], policy)
        raw["run_id"] = found
    except (KeyError, TypeError, AttributeError):
        pass  # the part that has no id is what is found
    raw["digest"] = digest({key: value for key, value in raw.items() if key != "digest"})
    return raw


@pytest.mark.parametrize(("place", "value", "words"), FORGED, ids=lambda value: str(value)[:40])
def test_forged_content_is_named(bank, tmp_path, capsys, place, value, words):
    expected = without_victim(bank, tmp_path)
    raw = edited(json.loads(bank.read_text()), place, value)
    bank.write_text(json.dumps(raw))
    name = f"{VICTIM}.npz" if words == "not the arrays" else ""
    is_named_and_left_aside(bank, expected, capsys, words, name)


def test_the_editor_of_these_tests_leaves_a_record_that_it_does_not_change_sound(bank):
    bank.write_text(json.dumps(edited(json.loads(bank.read_text()), "n_images", 250)))
    assert main(["leaderboard", "--results", str(bank.parent.parent)]) == 0


# --- files that are no records, or no longer ---


def replaced(old: str, new: str) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    return change


def content(new: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(new)


def cut_in_half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def one_bit_turned(path: Path) -> None:
    whole = bytearray(path.read_bytes())
    whole[whole.index(b'"git_commit"') + 3] ^= 1
    path.write_bytes(whole)


def a_gigabyte_of_blanks(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(2**30)  # sparse: takes no room


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def a_link_to_itself(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


def a_broken_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere.json")


def without_digest(path: Path) -> None:
    raw = json.loads(path.read_text())
    del raw["digest"]
    path.write_text(json.dumps(raw))


def no_rights(path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root reads everything")
    path.chmod(0)


FILES: list[tuple[str, Callable[[Path], Any], str]] = [
    ("empty", content(b""), "it is empty"),
    ("blanks", content(b" \n" * 500), "it is empty"),
    ("half", cut_in_half, "it is not JSON"),
    ("text", content(b"58.0 [52.0, 64.0]"), "it is not JSON"),
    ("list", content(b"[]"), "it is [], not an object"),
    ("null", content(b"null"), "it is null, not an object"),
    ("number", content(b"3"), "it is 3, not an object"),
    ("other object", content(b'{"annotations": []}'), "schema_version is missing"),
    ("only a schema", content(b'{"schema_version": 1}'), "is missing"),
    ("latin-1", content('{"maps": "Höhe"}'.encode("latin-1")), "it is not UTF-8 text"),
    ("utf-16", lambda path: path.write_bytes(path.read_text().encode("utf-16")), "not UTF-8 text"),
    ("byte order mark", lambda p: p.write_bytes(b"\xef\xbb\xbf" + p.read_bytes()), "it is not JSON"),
    ("zeros", lambda path: path.write_bytes(bytes(5000)), "it is not JSON"),
    ("two records", lambda path: path.write_bytes(path.read_bytes() * 2), "it is not JSON"),
    ("nested objects", content(b'{"a":' * 100_000 + b"1" + b"}" * 100_000), "nested deeper"),
    ("nested lists", content(b"[" * 40 + b"]" * 40), "nested deeper"),
    ("NaN", replaced('"value": 58', '"value": NaN'), "it holds NaN"),
    ("infinity", replaced('"value": 58', '"value": -Infinity'), "it holds -Infinity"),
    ("huge float", replaced('"value": 58', '"value": 1e999'), "a number too large"),
    ("huge whole number", replaced('"value": 58', '"value": ' + "9" * 5000), "a number too large"),
    ("twice a key", replaced('"maps": "cam"', '"maps": "cam", "maps": "cam"'), "'maps' stands twice"),
    ("half a letter", replaced('"maps": "cam"', '"maps": "cam\\ud800"'), "cannot be printed"),
    ("NUL", replaced('"maps": "cam"', '"maps": "cam\\u0000"'), "cannot be printed"),
    ("terminal", replaced('"maps": "cam"', '"maps": "cam\\u001b[2J"'), "cannot be printed"),
    ("another figure", replaced('"value": 58', '"value": 59'), "does not match its digest"),
    ("another figure's bound", replaced('"high": 64', '"high": 63'), "does not match its digest"),
    ("another setting", replaced('"rfga"', '"tdam"'), "does not match its digest"),
    ("another threshold", replaced("0.25", "0.26"), "does not match its digest"),
    ("another digest", replaced('"digest": "', '"digest": "0'), "does not match its digest"),
    ("no digest", without_digest, "digest is missing"),
    ("one bit", one_bit_turned, "does not match its digest"),
    ("gigabyte", a_gigabyte_of_blanks, "more than the 16,000,000 it may have"),
    ("folder", a_folder, "not a file"),
    ("pipe", a_pipe, "not a file"),
    ("link to itself", a_link_to_itself, "cannot be read"),
    ("broken link", a_broken_link, "cannot be read"),
    ("no rights", no_rights, "cannot be read"),
]


@pytest.mark.parametrize(("damage", "words"), [form[1:] for form in FILES], ids=[f[0] for f in FILES])
def test_a_file_that_is_no_record_is_named(bank, tmp_path, capsys, damage, words):
    expected = without_victim(bank, tmp_path)
    damage(bank)
    is_named_and_left_aside(bank, expected, capsys, words)


# --- the arrays beside a record ---


def of_another_run(path: Path) -> None:
    path.write_bytes(path.with_name("cam.npz").read_bytes())


ARRAYS: list[tuple[str, Callable[[Path], Any], str]] = [
    ("another run's", of_another_run, "not the arrays"),
    ("empty", content(b""), "not the arrays"),
    ("one byte more", lambda path: path.write_bytes(path.read_bytes() + b"\0"), "not the arrays"),
    ("half", cut_in_half, "not the arrays"),
    ("folder", a_folder, "not a file"),
    ("pipe", a_pipe, "not a file"),
    ("link to itself", a_link_to_itself, "cannot be read"),
]


@pytest.mark.parametrize(("damage", "words"), [form[1:] for form in ARRAYS], ids=[f[0] for f in ARRAYS])
def test_a_record_whose_arrays_are_others_is_left_aside(bank, tmp_path, capsys, damage, words):
    expected = without_victim(bank, tmp_path)
    # Once with sound arrays: what was remembered of them may not stand for the new ones.
    assert main(["leaderboard", "--results", str(bank.parent.parent)]) == 0
    damage(bank.with_suffix(".npz"))
    is_named_and_left_aside(bank, expected, capsys, words, f"{VICTIM}.npz")


def test_missing_arrays_are_noted_and_the_figures_stay(bank, capsys):
    results = bank.parent.parent
    bank.with_suffix(".npz").unlink()
    for _ in range(2):
        assert main(["leaderboard", "--results", str(results)]) == 0
        error = capsys.readouterr().err
        assert error == f"wsol: note: {bank}: its arrays victim.npz are not beside it\n"
    assert b"rfga" in board(results)["leaderboard.csv"]


def test_large_arrays_may_lie_elsewhere(bank, capsys):
    raw = edited(json.loads(bank.read_text()), "arrays file", "victim.large.npz")
    bank.write_text(json.dumps(raw))
    assert main(["leaderboard", "--results", str(bank.parent.parent)]) == 0
    assert capsys.readouterr().err == ""


# --- several files ---


def test_a_copy_of_a_run_is_noted_and_counts_once(bank, capsys):
    results = bank.parent.parent
    assert main(["leaderboard", "--results", str(results)]) == 0
    expected = board(results)
    (bank.parent / "z").mkdir()
    for path in (bank, bank.with_suffix(".npz")):
        shutil.copy(path, bank.parent / "z")
    assert main(["leaderboard", "--results", str(results)]) == 0
    assert f"{bank.parent / 'z' / bank.name}: the same run as {bank}" in capsys.readouterr().err
    assert board(results) == expected


def test_two_files_of_one_run_that_differ_are_both_left_aside(bank, tmp_path, capsys):
    expected = without_victim(bank, tmp_path)
    other = bank.with_name("zz.json")
    other.write_text(json.dumps(edited(json.loads(bank.read_text()), f"{FIGURE} value", 60)))
    is_named_and_left_aside(bank, expected, capsys, f"{bank} and {other}: one run")


def test_many_are_named_and_the_rest_counted(bank, capsys):
    for number in range(25):
        (bank.parent / f"bad{number:02}.json").write_text("{")
    assert main(["leaderboard", "--results", str(bank.parent.parent)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 21
    assert lines[-1] == "... and 5 more"


def test_a_folder_of_damaged_records_alone_has_no_board(store, results, capsys):
    store("only").write_text("{")
    assert main(["leaderboard", "--results", str(results)]) == 2
    assert "only.json: not a run record" in capsys.readouterr().err
    assert not (results / "leaderboard.csv").exists()


def test_no_record_at_all_says_how_to_name_another_folder(tmp_path, capsys):
    assert main(["leaderboard", "--results", str(tmp_path)]) == 2
    assert "--results" in capsys.readouterr().err


@pytest.mark.parametrize("schema", [1, 2])
def test_records_of_older_schemas_are_read_without_a_digest(bank, capsys, schema):
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
