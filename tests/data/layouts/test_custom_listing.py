"""Class and split of one's own images, by annotation and by folder."""

from __future__ import annotations

from wsol.data.annotations.annotated import AnnotatedImage, AnnotatedObject
from wsol.data.layouts.custom_listing import Listing, split_name
from wsol.data.manifest.manifest_draft import DraftBox


def images(*names: str, **said: object) -> dict[str, AnnotatedImage]:
    return {name: AnnotatedImage(name, "here", **said) for name in names}  # pyright: ignore


def test_folders_called_by_splits_in_any_spelling():
    files = ["Train/cat/1.jpg", "Train/dog/1.jpg", "valid/cat/1.jpg", "TEST/dog/1.jpg"]
    listing = Listing(files, {}, "test")
    assert list(listing.splits.values()) == ["train", "train", "val", "test"]
    assert listing.classes == ["cat", "dog"] and not listing.findings and not listing.notes
    assert split_name("Validation") == "val" and split_name("fold3") == "fold3"


def test_a_stray_file_beside_the_splits_is_a_finding_and_no_reason_to_call_them_classes():
    files = ["train/cat/1.jpg", "train/dog/1.jpg", "test/cat/1.jpg", "cover.jpg", "more/2.jpg"]
    listing = Listing(files, {}, "test")
    assert listing.findings == [
        f"{file}: lies in none of the splits (test, train); move it there, or leave it out by --skip"
        for file in ("cover.jpg", "more/2.jpg")
    ]
    assert listing.labels["train/dog/1.jpg"] == "dog"
    told = images("cover.jpg", "more/2.jpg", split="TEST", label="cat", own_classes=True)
    listing = Listing(files, told, "test")
    assert not listing.findings and listing.splits["cover.jpg"] == "test"


def test_a_train_may_be_a_class():
    listing = Listing(["train/1.jpg", "train/2.jpg", "train/3.jpg", "car/1.jpg"], {}, "test")
    assert listing.classes == ["car", "train"] and not listing.findings
    assert listing.notes == ["train: taken for classes, as not all images lie in splits"]
    # ... but is none where it holds classes itself, or is all there is.
    assert Listing(["train/cat/1.jpg", "train/dog/1.jpg"], {}, "test").classes == ["cat", "dog"]
    assert len(Listing(["train/a.jpg", "train/b.jpg", "c.jpg"], {}, "test").findings) == 1


def test_splits_of_the_annotations_are_read_in_any_spelling():
    told = {
        name: AnnotatedImage(name, "here", split=split)
        for name, split in (("a.jpg", "Train"), ("b.jpg", "VALID"))
    }
    told["c.jpg"] = AnnotatedImage("c.jpg", "here")
    listing = Listing(["a.jpg", "b.jpg", "c.jpg", "d.jpg"], told, "Test")
    assert list(listing.splits.values()) == ["train", "val", "test", "train"]


def test_a_folder_is_no_class_of_a_source_that_has_its_own():
    objects = (AnnotatedObject("cat"), AnnotatedObject("dog"))
    told = images("val2017/1.jpg", objects=objects[:1], own_classes=True)
    told |= images("val2017/2.jpg", "dog/3.jpg", own_classes=True)
    told |= images("val2017/4.jpg", objects=objects[1:], own_classes=True)
    listing = Listing([*told, "train2017/5.jpg"], told, "test")
    assert listing.labels == {
        "val2017/1.jpg": "cat",
        "val2017/2.jpg": "",
        "dog/3.jpg": "dog",
        "val2017/4.jpg": "dog",
        "train2017/5.jpg": "train2017",
    }
    assert listing.notes == ["classes by their folder alone, which no annotation names: train2017"]
    # A source without classes leaves it to the folders.
    assert Listing(["cat/1.jpg", "dog/2.jpg"], images("cat/1.jpg"), "test").classes == ["cat", "dog"]


def test_plain_folders_tell_nothing():
    listing = Listing(["train/cat/1.jpg", "test/dog/2.jpg", "3.jpg"], {}, "test", plain_folders=True)
    assert not listing.classes and set(listing.splits.values()) == {"train"} and not listing.findings


def test_classes_that_only_look_alike_are_a_finding():
    listing = Listing(["caf\u00e9/1.jpg", "cafe\u0301/2.jpg", "bar/3.jpg"], {}, "test")
    assert len(listing.findings) == 1 and "spelled in two ways" in listing.findings[0]


def test_what_is_only_scored_is_of_one_split_whatever_is_said():
    files = ["train/cat/1.jpg", "test/dog/1.jpg", "val/dog/2.jpg", "cover.jpg"]
    told = images("train/cat/1.jpg", "cover.jpg") | images("val/dog/2.jpg", split="val")
    listing = Listing(files, told, "test", one_split=True)
    assert list(listing.splits.values()) == ["test", "train", "test", "test"]
    assert listing.classes == ["cat", "dog"] and not listing.findings


def test_of_several_classes_one_is_kept_and_what_is_left_out_is_counted():
    def box(x1: float) -> DraftBox:
        return DraftBox((0, 0, x1, 1), (0, 0, x1, 1), "here")

    objects = (
        AnnotatedObject("cat", box(2)),
        AnnotatedObject("dog", box(9)),
        AnnotatedObject("cat", box(3)),
        AnnotatedObject("cat", ignore=True),
    )
    told = images("1.jpg", "cat/2.jpg", objects=objects, own_classes=True)
    listing = Listing(list(told), told, "test")
    assert listing.labels == {"1.jpg": "dog", "cat/2.jpg": "cat"}
    assert [len(listing.objects(file)) for file in told] == [2, 3]  # each with the ignored region
    assert "2 images show objects of several classes" in listing.notes[0]
    assert listing.notes[0].endswith("; 3 objects of other classes are left out")


def test_where_images_are_only_scored_a_single_class_is_not_everybodys():
    told = images("a.jpg", label="cat", own_classes=True) | images("noise.jpg", own_classes=True)
    assert Listing(list(told), told, "test").labels == {"a.jpg": "cat", "noise.jpg": "cat"}
    scored = Listing(list(told), told, "test", one_split=True)
    assert scored.labels == {"a.jpg": "cat", "noise.jpg": ""}
