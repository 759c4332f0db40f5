"""Which image an annotation means, by its name."""

from __future__ import annotations

import unicodedata
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from wsol.data.annotations.annotated import AnnotatedImage, AnnotatedObject, checked_file
from wsol.data.annotations.annotation_matching import ImageNames, join_sources, match_images
from wsol.data.manifest.manifest_draft import DraftBox

BOX = DraftBox((0, 0, 5, 5), (0, 0, 5, 5), "here")


def match(files: list[str], *names: str) -> tuple[dict[str, str], list[str], list[str]]:
    """The annotated name of each file, the names without a file, and the findings."""
    findings: list[str] = []
    images = [AnnotatedImage(name, f"line {n}") for n, name in enumerate(names, start=1)]
    found, missing = match_images(ImageNames(files), images, findings)
    return (
        {file: image.file for file, image in found.items()},
        [image.file for image in missing],
        findings,
    )


def test_names_find_their_images_with_or_without_folder_and_suffix():
    files = ["x/a.jpg", "y/a.jpg", "y/b.png", "z/images/c.jpg", "v/JPEGImages/2007_1.jpg"]
    for name, file in (
        ("x/a.jpg", "x/a.jpg"),
        ("x/a", "x/a.jpg"),
        ("x/a.png", "x/a.jpg"),
        ("b.jpg", "y/b.png"),
        ("b", "y/b.png"),
        ("set/y/b.png", "y/b.png"),
        ("z/masks/c", "z/images/c.jpg"),
        ("z/c.jpg", "z/images/c.jpg"),
        ("Annotations/2007_1", "v/JPEGImages/2007_1.jpg"),
    ):
        assert match(files, name) == ({file: name}, [], [])
    assert match(files, "q.jpg") == ({}, ["q.jpg"], [])
    _, _, findings = match(files, "a.jpg")
    assert findings == ["line 1: 'a.jpg' may be x/a.jpg or y/a.jpg; name its folder"]


def test_a_file_of_that_name_in_another_folder_is_another_image():
    assert match(["dog/1.jpg"], "cat/1.jpg") == ({}, ["cat/1.jpg"], [])
    assert match(["dog/1.jpg", "1.jpg"], "cat/1.jpg") == ({"1.jpg": "cat/1.jpg"}, [], [])


def test_no_name_beats_or_joins_the_image_s_own():
    for names in (("1.png", "cat/1.jpg", "1.jpg"), ("1.jpg", "cat/1.jpg", "1.png")):
        found, missing, findings = match(["1.jpg"], *names)
        assert found == {"1.jpg": "1.jpg"} and sorted(missing) == ["1.png", "cat/1.jpg"]
        assert not findings


def test_two_annotations_of_one_image_are_a_finding():
    _, _, findings = match(["a/1.jpg"], "a/1.jpg", "a/1")
    assert findings == ["line 2: 'a/1' is the image a/1.jpg, which is already in line 1 as 'a/1.jpg'"]
    _, _, findings = match(["1.jpg"], "cat/1.jpg", "dog/1.jpg")
    assert findings == [
        "line 2: 'dog/1.jpg' is the image 1.jpg, which is already in line 1 as 'cat/1.jpg'"
    ]


def beside(files: list[str], folder: str, *names: str) -> tuple[dict[str, str], list[str], list[str]]:
    """As `match`, of a file in ``folder`` below the root."""
    findings: list[str] = []
    root = Path("set")
    images = [AnnotatedImage(name, "here", folder=root / folder) for name in names]
    found, missing = match_images(ImageNames(files, root), images, findings)
    return (
        {file: image.file for file, image in found.items()},
        [image.file for image in missing],
        findings,
    )


def test_a_file_speaks_first_of_the_images_beside_it():
    for split in ("train", "valid"):
        for form in ("{}/1.jpg", "{}/images/1.jpg", "images/{}/1.jpg"):
            files = [form.format("train"), form.format("valid")]
            folder = f"labels/{split}" if form.startswith("images") else split
            for name in ("1.jpg", "1", f"{split}/1.jpg", f"{split}/1"):
                assert beside(files, folder, name) == ({form.format(split): name}, [], [])
    # One that is not there is not the image of that name elsewhere.
    files = ["train/1.jpg", "valid/1.jpg", "valid/2.jpg"]
    assert beside(files, "train", "1.jpg", "2.jpg") == ({"train/1.jpg": "1.jpg"}, ["2.jpg"], [])
    # A file that lies beside no image is matched as ever.
    assert beside(files, "", "2.jpg")[0] == {"valid/2.jpg": "2.jpg"}
    assert beside(files, "../other", "1.jpg")[2] != []


def test_paths_of_other_machines_are_matched_by_their_ending():
    for name in (
        *("..\\label\\1.jpg", "C:\\Users\\me\\1.jpg", "/home/me/set/1.jpg", "~/set/1.jpg", "a/../1.jpg"),
        *(
            "file:///home/me/1.jpg",
            "file:///C:/me/1.jpg",
            "http://host/a/1.jpg?x=1#y",
            "..\\%2e%2e/1.jpg",
        ),
    ):
        findings: list[str] = []
        file = checked_file(name, "here", findings)
        assert not findings and match(["1.jpg"], file)[0] == {"1.jpg": file}, name
        assert not {"..", ""} & set(file.split("/"))
    assert match(["my set/a b.jpg"], "my%20set/a%20b.jpg")[0] != {}
    assert match(["1_jpg.rf.0a.jpg"], "1_jpg.rf.0a.jpg")[0] != {}
    _, _, findings = match(["a/1.jpg", "b/1.jpg"], checked_file("D:\\1.jpg", "here", []))
    assert findings == ["line 1: '1.jpg' may be a/1.jpg or b/1.jpg; name its folder"]


def test_accents_are_one_letter_however_they_are_spelled():
    composed, apart = (unicodedata.normalize(form, "día/é.jpg") for form in ("NFC", "NFD"))
    assert composed != apart
    for file, name in ((composed, apart), (apart, composed)):
        assert match([file], name) == ({file: name}, [], [])
        assert match([file], name.removesuffix(".jpg"))[0] == {file: name.removesuffix(".jpg")}
    # Two files that only look alike are each found by their own name.
    assert match([composed, apart], apart, composed) == (
        {composed: composed, apart: apart},
        [],
        [],
    )
    assert match([apart, apart.replace(".jpg", ".png")], composed)[0] == {apart: composed}


def test_sources_are_joined_but_tell_no_two_tales():
    boxes = {"a.jpg": AnnotatedImage("a.jpg", "boxes", (AnnotatedObject("cat", BOX),), (10, 20), "cat")}
    plain = {"a.jpg": AnnotatedImage("a", "plain", split="val"), "b.jpg": AnnotatedImage("b", "plain")}
    findings: list[str] = []
    joined = join_sources([boxes, plain], findings)
    assert joined["a.jpg"].label == "cat" and joined["a.jpg"].split == "val"
    assert len(joined["a.jpg"].objects) == 1 and set(joined) == {"a.jpg", "b.jpg"} and not findings
    join_sources([boxes, boxes], findings)
    assert findings == ["boxes: 'a.jpg' has its box in boxes already"]


paths = st.lists(
    st.sampled_from(["a", "b", "\u00e9", "e\u0301", "images", "masks"]), min_size=1, max_size=3
).flatmap(
    lambda parts: st.sampled_from(["", ".jpg", ".png"]).map(lambda suffix: "/".join(parts) + suffix)
)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(files=st.lists(paths, max_size=5, unique=True), names=st.lists(paths, max_size=5, unique=True))
def test_no_annotation_is_lost(files, names):
    """Each one is an image's, or of an image that is not there, or a finding; its own name wins."""
    found, missing, findings = match(files, *names)
    assert len(found) + len(missing) + len(findings) == len(names)
    assert findings or all(found[name] == name for name in set(files) & set(names))
