from __future__ import annotations

import subprocess
import sys

import pytest

from wsol.cli.main import main
from wsol.data.manifest.manifest import Manifest

SMALL = ["--train", "20", "--val", "0", "--test", "10"]


def test_clutter_and_what_it_prints(tmp_path, capsys):
    folder = tmp_path / "m"
    assert main(["prepare", "clutter", "--output", str(folder), *SMALL, "--title", "few"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == [
        "few: 10 classes",
        "  train: 20 images",
        "  test: 10 images, 10 boxes, 10 masks",
    ]
    assert lines[3].startswith("a subset: 20 of 1500 train images, 0 of 300 val images, 10 of 500 test")
    assert lines[-1] == f"manifest {folder}, hash {Manifest.read(folder).hash[:16]}"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["cub"], "required: --root"),
        (["cub", "--root", "/no/such/folder"], "/no/such/folder: no such folder"),
        (["cbu", "--root", "."], "unknown data set 'cbu': did you mean 'cub'?"),
        (["clutter", "--siez", "64"], "unknown argument '--siez': did you mean '--size'"),
        (["clutter", "--size", "9"], "--size 9: must be from 32 to 512 pixels"),
        (["clutter", "--size", "big"], "invalid int value: 'big'"),
        ([], "required: name"),
    ],
)
def test_wrong_use_is_one_line_and_leaves_nothing(tmp_path, capsys, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    assert main(["prepare", *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("wsol: error: ") and said in line
    assert list(tmp_path.iterdir()) == []


def test_another_layout_is_one_line_and_leaves_nothing(tmp_path, capsys):
    (tmp_path / "root").mkdir()
    for name in ("cub", "imagenet"):
        arguments = ["prepare", name, "--root", str(tmp_path / "root"), "--output", str(tmp_path / "m")]
        assert main(arguments) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["root"]


def test_help_names_the_data_sets(capsys):
    with pytest.raises(SystemExit):
        main(["prepare", "--help"])
    assert "cub" in capsys.readouterr().out


def test_a_layout_of_ones_own(tmp_path, capsys, monkeypatch):
    (tmp_path / "my_birds.py").write_text(
        "from wsol.data.manifest.manifest_draft import ManifestDraft, DraftImage, DraftClass\n"
        "from wsol.data.layouts.layout import Layout\n"
        "def read(root, options):\n"
        "    image = DraftImage('a', 'a.png', 0, options.where)\n"
        "    classes = [DraftClass('gull', 'g')]\n"
        "    return ManifestDraft('my_birds', 'My birds', '1', root, classes, [image])\n"
        "LAYOUT = Layout(read, lambda parser: parser.add_argument('--where', default='test'))\n"
    )
    from PIL import Image

    Image.new("L", (9, 9)).save(tmp_path / "a.png")
    monkeypatch.chdir(tmp_path)
    assert main(["prepare", "my_birds:LAYOUT", "--root", ".", "--output", "m", "--where", "val"]) == 0
    assert "completeness not checked" in capsys.readouterr().out
    assert Manifest.read("m").splits == {"val": 1}


def test_prepare_imports_no_torch(tmp_path):
    code = (
        "import sys; from wsol.cli.main import main; "
        f"assert main(['prepare', 'clutter', '--output', {str(tmp_path / 'm')!r}, *{SMALL!r}]) == 0; "
        "import wsol.data.layouts.cub, wsol.data.layouts.imagenet; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["prepare", "clutter", "--output", str(tmp_path / "file/m"), *SMALL]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("wsol: error: prepare clutter: ")
