from __future__ import annotations

import pytest

from wsol.errors import UserError
from wsol.files.text_tables import LARGEST_NUMBER, numbers, read_keyed, read_lines, whole_number


def test_lines_have_their_numbers_and_no_blanks(tmp_path):
    path = tmp_path / "t.txt"
    path.write_bytes("\ufeff 1 a.jpg \r\n\r\n2 b\tc.jpg".encode())
    assert list(read_lines(path)) == [(1, "1 a.jpg"), (3, "2 b\tc.jpg")]


def test_a_row_is_found_by_its_key(tmp_path):
    path, findings = tmp_path / "t.txt", []
    path.write_text("1 10 20\n2 30 40 and more\n3 50\n1 60 70\n")
    assert read_keyed(path, 2, findings) == {
        "1": (["10", "20"], "t.txt line 1"),
        "2": (["30", "40 and more"], "t.txt line 2"),
    }
    assert findings == [
        "t.txt line 3: 1 values after '3' where there should be 2",
        "t.txt line 4: '1' is already in t.txt line 1",
    ]
    path.write_text("a , 1\n")
    assert read_keyed(path, 1, findings, separator=",") == {"a": (["1"], "t.txt line 1")}


def test_what_is_no_text_is_named(tmp_path):
    with pytest.raises(UserError, match=r"t\.txt: missing"):
        list(read_lines(tmp_path / "t.txt"))
    (tmp_path / "t.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(UserError, match=r"t\.txt: not a UTF-8 text file"):
        list(read_lines(tmp_path / "t.txt"))


@pytest.mark.parametrize(
    ("text", "number"),
    [
        *(("0", 0), ("012", 12), ("999999", LARGEST_NUMBER), ("1000000", None), ("-1", None)),
        *(("1.0", None), ("", None), (" 1", None), ("\uff11", None), ("\u00b2", None)),
    ],
)
def test_whole_numbers(text, number):
    assert whole_number(text) == number


def test_numbers_are_all_or_none():
    findings: list[str] = []
    assert numbers(["1", "-2.5", "1e3"], "line 1", findings) == (1.0, -2.5, 1000.0) and findings == []
    assert numbers(["1", "x"], "line 2", findings) is None
    assert findings == ["line 2: '1 x' are not 2 numbers"]
