from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wsol.data.manifest import manifest_reading
from wsol.data.manifest.draft_tables import number
from wsol.data.manifest.manifest import Manifest
from wsol.data.manifest.manifest_draft import DraftBox, DraftClass, DraftImage, ManifestDraft
from wsol.data.manifest.manifest_writing import write_manifest
from wsol.errors import UserError
from wsol.files.writing.leftovers import prefix_for


def box(*corners: float, where: str = "boxes line 1") -> DraftBox:
    return DraftBox(corners, corners, where)  # type: ignore[arg-type]


def picture(path: Path, width: int = 40, height: int = 30) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.zeros((height, width), np.uint8)).save(path)
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("a.png", "b.png", "c.png"):
        picture(tmp_path / "root" / name)
    return tmp_path / "root"


def draft(root: Path | None, *images: DraftImage, **fields: object) -> ManifestDraft:
    made = ManifestDraft("mine", "My birds", "1", root, [DraftClass("gull", "001")], images)
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def findings(folder: Path, made: ManifestDraft) -> list[str]:
    with pytest.raises(UserError) as caught:
        write_manifest(folder, made)
    return str(caught.value).splitlines()


def test_what_was_written_is_read(tmp_path, root):
    images = [
        DraftImage("a", "a.png", 0, "train"),
        DraftImage("b", "b.png", 0, "test", (box(1.25, 2, 30, 30),), (("c.png", ""),)),
    ]
    info = write_manifest(tmp_path / "m", draft(root, *images))
    manifest = Manifest.read(tmp_path / "m")
    assert manifest.hash == info["hash"] and manifest.title == "My birds" and manifest.root == root
    annotation = manifest.split("test").annotations()["b"]
    np.testing.assert_array_equal(annotation.boxes, [[1.25, 2, 30, 30]])
    assert annotation.size == (30, 40) and annotation.masks == (f"{root}/c.png",)
    assert info["counts"] == {
        "classes": 1,
        "images": {"train": 1, "test": 1},
        "annotated": {"train": 0, "test": 1},
        "boxes": {"test": 1},
        "masks": {"train": 0, "test": 1},
    }


def test_boxes_that_stick_out_are_clipped_and_counted(tmp_path, root):
    given = (box(-3, 2, 12, 31.5), box(0, 0, 40, 30))
    made = draft(root, DraftImage("a", "a.png", 0, "test", given))
    info = write_manifest(tmp_path / "m", made)
    annotation = Manifest.read(tmp_path / "m").split("test").annotations()["a"]
    np.testing.assert_array_equal(annotation.boxes, [[0, 2, 12, 30], [0, 0, 40, 30]])
    np.testing.assert_array_equal(annotation.source_boxes, [[-3, 2, 12, 31.5], [0, 0, 40, 30]])
    assert "1 boxes that stuck out of their image were clipped to it" in info["notes"]


def test_reference_corners_end_at_the_last_pixel(tmp_path, root):
    made = draft(
        root, DraftImage("a", "a.png", 0, "test", (box(-1, 2, 40, 29),)), reference_corners=True
    )
    write_manifest(tmp_path / "m", made)
    annotation = Manifest.read(tmp_path / "m").split("test").annotations()["a"]
    np.testing.assert_array_equal(annotation.boxes, [[0, 2, 40, 29]])
    np.testing.assert_array_equal(annotation.source_boxes, [[0, 2, 39, 29]])


def test_all_contradictions_come_at_once_and_nothing_is_written(tmp_path, root):
    (root / "empty.jpg").write_bytes(b"")
    (root / "text.jpg").write_text("no image")
    made = draft(
        root,
        DraftImage("a", "empty.jpg", 0, "test"),
        DraftImage("b", "text.jpg", 0, "test"),
        DraftImage("c", "a.png", 0, "test", (box(9, 0, 3, 5, where="list line 7"),)),
        DraftImage("d", "b.png", 0, "test", (box(50, 0, 60, 5, where="list line 8"),)),
        DraftImage("e", "c.png", 0, "test", size=(60, 80), where="e.xml"),
        DraftImage("e", "../root/c.png", 0, "test", where="list line 9"),
        findings=["labels line 3: said by the reader"],
    )
    said = findings(tmp_path / "m", made)
    assert said[0] == "labels line 3: said by the reader"
    assert said[1].startswith(f"{root}/empty.jpg: empty file")
    assert said[2].startswith(f"{root}/text.jpg: not an image")
    assert said[3:] == [
        "list line 7: x1 (3) is not right of x0 (9)",
        "list line 8: box 50 0 60 5 lies outside the image (40 x 30)",
        "e.xml: the annotation is of an image of 80 x 60 pixels, but c.png has 40 x 30",
        "list line 9: path '../root/c.png' leaves the root",
        "image_id 'e' occurs twice: c.png and ../root/c.png",
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["root"]


def test_what_would_be_read_otherwise_is_not_written(tmp_path, root):
    """Tables are read without blanks around cells, and boxes are kept with six decimals."""
    picture(root / " lead.png")
    picture(root / "a .png")
    made = draft(
        root,
        DraftImage("lead", " lead.png", 0, "test", where="list line 1"),
        DraftImage("a ", "a .png", 0, "test", where="list line 2"),
        DraftImage("a", "a.png", 0, "test", (box(1, 1, 1 + 1e-7, 2, where="list line 3"),)),
        DraftImage("b", "b.png", 0, "", masks=(("", ""),), where="list line 4"),
        DraftImage("c", "c.png", 0, "val "),
    )
    made.classes = [DraftClass(key, key) for key in ("dog", "dog ", "", "dog")]
    assert findings(tmp_path / "m", made) == [
        "list line 1: path ' lead.png' begins or ends with a blank; rename it",
        "list line 2: image_id 'a ' begins or ends with a blank; rename it",
        "list line 3: box 1 1 1 2 is empty once rounded to 6 decimals",
        "list line 4: neither mask nor ignore mask",
        "split 'val ' begins or ends with a blank; rename it",
        "1 images have no split; name one, e.g. test",
        "class 'dog ' begins or ends with a blank; rename it",
        "no class",
        "class 'dog' occurs twice",
    ]
    assert not (tmp_path / "m").exists()


def test_a_finding_of_reader_and_writer_is_told_once(tmp_path, root):
    problem = "class ' x' begins or ends with a blank; rename it"
    made = draft(root, DraftImage("a", "a.png", 0, "test"), findings=[problem])
    made.classes = [DraftClass(" x", " x")]
    assert findings(tmp_path / "m", made) == [problem]


def test_a_missing_file_makes_a_subset_but_no_file_at_all_is_an_error(tmp_path, root):
    images = [DraftImage("a", "a.png", 0, "test"), DraftImage("z", "gone.png", 0, "test")]
    info = write_manifest(tmp_path / "m", draft(root, *images))
    assert "1 listed images have no file and were left out" in info["notes"]
    assert Manifest.read(tmp_path / "m").split("test").image_ids == ["a"]
    assert "no image of My birds found" in findings(tmp_path / "n", draft(root, images[1]))[0]


def test_images_may_come_from_a_generator_that_finds_faults_on_the_way(tmp_path, root):
    made = draft(root)

    def images() -> Iterator[DraftImage]:
        yield DraftImage("a", "a.png", 0, "test")
        made.findings.append("b.xml: no object")

    made.images = images()
    assert findings(tmp_path / "m", made) == ["b.xml: no object"]


def test_unannotated_images_need_not_be_opened(tmp_path, root):
    (root / "empty.jpg").write_bytes(b"")
    images = [
        DraftImage("a", "empty.jpg", 0, "train"),
        DraftImage("b", "b.png", 0, "test", (box(0, 0, 9, 9),)),
    ]
    write_manifest(tmp_path / "m", draft(root, *images, open_unannotated=False))
    manifest = Manifest.read(tmp_path / "m")
    assert manifest.split("train").sizes.tolist() == [[0, 0]]
    assert manifest.split("test").sizes.tolist() == [[30, 40]]


def test_a_manifest_is_replaced_whole_and_kept_when_the_next_one_fails(tmp_path, root):
    folder = tmp_path / "m"
    write_manifest(folder, draft(root, DraftImage("a", "a.png", 0, "test")))
    write_manifest(folder, draft(root, DraftImage("b", "b.png", 0, "test")))
    assert Manifest.read(folder).split("test").image_ids == ["b"]
    findings(folder, draft(root, DraftImage("", "c.png", 0, "test")))
    assert Manifest.read(folder).split("test").image_ids == ["b"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m", "root"]


def test_a_folder_that_is_no_manifest_is_never_replaced(tmp_path, root):
    image = DraftImage("a", "a.png", 0, "test")
    assert "no manifest" in findings(root, draft(root, image))[0]
    assert "is a file" in findings(root / "a.png", draft(root, image))[0]
    folder = tmp_path / "m"
    write_manifest(folder, draft(root, image))
    (folder / "thesis.tex").write_text("years of work")
    assert "thesis.tex" in findings(folder, draft(root, image))[0]
    assert (folder / "thesis.tex").read_text() == "years of work"


def test_the_folder_one_is_in_is_not_replaced(tmp_path, root, monkeypatch):
    made = draft(root, DraftImage("a", "a.png", 0, "test"))
    (tmp_path / "m/below").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "m/below")
    for folder in (Path(), Path(".."), tmp_path / "m"):
        assert findings(folder, made) == [
            f"{folder}: is the folder you are in, or one above it, which cannot be replaced as a whole; "
            "name a new folder"
        ]
    write_manifest("new", made)
    assert sorted(path.name for path in (tmp_path / "m/below").iterdir()) == ["new"]


def test_a_manifest_does_not_replace_the_images_it_lists(tmp_path):
    folder = tmp_path / "m"

    def write_files(target: Path) -> None:
        picture(target / "images/a.png")

    own = draft(None, DraftImage("a", "images/a.png", 0, "test"), write_files=write_files)
    write_manifest(folder, own)
    assert Manifest.read(folder).root == folder.resolve()
    other = draft(folder / "images", DraftImage("a", "a.png", 0, "test"))
    assert "the images lie in it" in findings(folder, other)[0]
    folder.rename(tmp_path / "moved")
    assert Path(Manifest.read(tmp_path / "moved").split("test").paths[0]).is_file()


@pytest.mark.parametrize(
    ("value", "text"),
    [(3.0, "3"), (45.8 + 248.3, "294.1"), (0.1 + 0.2, "0.3"), (100.0, "100"), (0, "0")],
)
def test_coordinates_are_written_as_short_as_they_are(value, text):
    assert number(value) == text


@pytest.mark.parametrize("table", ["classes.csv", "images.csv", "boxes.csv", "masks.csv"])
def test_who_reads_while_it_is_prepared_anew_gets_one_of_both(tmp_path, root, monkeypatch, table):
    """The folder is exchanged when the reader comes to ``table``: never half of each."""
    folder = tmp_path / "m"
    write_manifest(folder, draft(root, DraftImage("a", "a.png", 0, "test", (box(1, 2, 3, 4),))))
    real, exchanged = manifest_reading.read_rows, []

    def read_rows(path, *arguments):
        if path.name == table and not exchanged:
            exchanged.append(path)
            new = DraftImage("b", "b.png", 0, "test", (box(5, 6, 7, 8),))
            write_manifest(folder, draft(root, new))
        return real(path, *arguments)

    monkeypatch.setattr(manifest_reading, "read_rows", read_rows)
    manifest = Manifest.read(folder)
    assert exchanged
    assert manifest.tables.image_ids == ["b"]
    assert manifest.tables.boxes.tolist() == [[5, 6, 7, 8]]
    assert manifest.hash == manifest.info["hash"]


def test_a_manifest_that_a_killed_process_moved_away_is_put_back(tmp_path, root):
    """Where folders are not exchanged in one step it may lie beside: the next `prepare` knows it."""
    folder = tmp_path / "m"
    write_manifest(folder, draft(root, DraftImage("a", "a.png", 0, "test")))
    aside = tmp_path / f"{prefix_for('m')}abcdefgh" / "old"
    aside.mkdir(parents=True)
    folder.rename(aside / "m")
    assert "no image of My birds found" in findings(folder, draft(root))[0]
    assert Manifest.read(folder).split("test").image_ids == ["a"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m", "root"]
