"""Files that are no records or no arrays, or no longer, are named and left aside."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wsol.cli.main import main


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


def of_another_run(path: Path) -> None:
    path.write_bytes(path.with_name("cam.npz").read_bytes())


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
ARRAYS: list[tuple[str, Callable[[Path], Any], str]] = [
    ("another run's", of_another_run, "not the arrays"),
    ("empty", content(b""), "not the arrays"),
    ("one byte more", lambda path: path.write_bytes(path.read_bytes() + b"\0"), "not the arrays"),
    ("half", cut_in_half, "not the arrays"),
    ("folder", a_folder, "not a file"),
    ("pipe", a_pipe, "not a file"),
    ("link to itself", a_link_to_itself, "cannot be read"),
]


@pytest.mark.parametrize(("damage", "words"), [form[1:] for form in FILES], ids=[f[0] for f in FILES])
def test_a_file_that_is_no_record_is_named(bank, is_named_and_left_aside, damage, words):
    damage(bank)
    is_named_and_left_aside(words)


@pytest.mark.parametrize(("damage", "words"), [form[1:] for form in ARRAYS], ids=[f[0] for f in ARRAYS])
def test_a_record_whose_arrays_are_others_is_left_aside(bank, is_named_and_left_aside, damage, words):
    # Once with sound arrays: what was remembered of them may not stand for the new ones.
    assert main(["leaderboard", "--results", str(bank.parent.parent)]) == 0
    damage(bank.with_suffix(".npz"))
    is_named_and_left_aside(words, "victim.npz")
