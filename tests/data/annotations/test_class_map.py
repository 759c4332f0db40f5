"""The table of ``--classes``: annotated class, model's class."""

import pytest

from wsol.data.annotations.class_map import read_class_map
from wsol.errors import UserError

EXPECTED = {"Horse": ["n02389026", "zebra"], "great white": ["shark, white"]}


@pytest.mark.parametrize(
    "text",
    [
        'Horse,n02389026\nHorse,zebra\ngreat white,"shark, white"\n',
        'class,model\nHorse, n02389026\nHorse,zebra\n\n"great white", "shark, white"\n',
        "\ufeffLabel;Model_Class\r\nHorse;n02389026\r\ngreat white;shark, white\r\nHorse;zebra\r\n",
        "Horse\tn02389026\nHorse\tzebra\nHorse\tzebra\ngreat white\tshark, white",
        'Horse,n02389026,\nHorse,zebra,,\ngreat white,"shark, white",\n',
    ],
    ids=["bare", "header", "semicolons", "tabs", "emptied-columns"],
)
def test_the_same_classes_however_the_table_is_written(tmp_path, text):
    table = tmp_path / "map.csv"
    table.write_text(text, encoding="utf-8", newline="")
    assert read_class_map(table) == EXPECTED


def test_a_first_line_is_a_header_only_if_both_columns_are_called_so(tmp_path):
    table = tmp_path / "map.csv"
    table.write_text("class,n02389026\nmodel,key\n")
    assert read_class_map(table) == {"class": ["n02389026"], "model": ["key"]}


def test_every_wrong_line_is_told_with_its_number(tmp_path):
    table = tmp_path / "map.csv"
    table.write_text("class,model\nHorse\nCar,\nCow,a,b\nDog,n1\n")
    with pytest.raises(UserError) as caught:
        read_class_map(table)
    lines = str(caught.value).splitlines()
    assert [line.split(": ")[0].rpartition(" ")[2] for line in lines] == ["2", "3", "4"]
    assert "3 names where there should be two" in lines[2]


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "no classes in it"), (b"class,model\n", "no classes in it"), (b"\xff\xfea", "not a UTF-8")],
)
def test_no_table(tmp_path, content, said):
    table = tmp_path / "map.csv"
    table.write_bytes(content)
    with pytest.raises(UserError, match=said):
        read_class_map(table)
    with pytest.raises(UserError, match="no such file"):
        read_class_map(tmp_path / "gone.csv")
    with pytest.raises(UserError, match="is a folder"):
        read_class_map(tmp_path)
