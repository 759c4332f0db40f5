"""The names that frameworks give to the maps of images."""

import numpy as np
import pytest

from wsol.errors import UserError
from wsol.maps.map_files import MapFiles
from wsol.maps.map_folder import MapFolder, read_map
from wsol.scores.samples import Annotation

BOX = np.array([[1, 1, 5, 5]], np.float32)


@pytest.mark.parametrize(
    "name", ["a/1.npy", "a/1.jpg.npy", "a/1.JPEG.npy", "a/1.npz", "1.npy", "1.png.npz"]
)
@pytest.mark.parametrize("image_id", ["a/1", "a/1.jpg"])
def test_every_spelling_is_the_image(name, image_id):
    files = MapFiles([name], [image_id, "a/2"])
    assert files.of == {image_id: name} and not files.findings and not files.unmatched


def test_a_base_name_that_two_images_have_is_not_guessed():
    files = MapFiles(["1.npy", "b/1.npy"], ["a/1", "b/1"])
    assert files.of == {"b/1": "b/1.npy"}
    assert files.findings == ["1.npy: may be of a/1 or b/1; name it as the image, with its folder"]


def test_names_in_full_tell_images_apart_that_differ_in_their_suffix():
    files = MapFiles(["a.jpg.npy", "a.png.npy"], ["a.jpg", "a.png"])
    assert files.of == {"a.jpg": "a.jpg.npy", "a.png": "a.png.npy"} and not files.findings
    assert MapFiles(["a.npy"], ["a.jpg", "a.png"]).findings


def test_two_files_of_one_image_and_files_of_none():
    files = MapFiles(["a.jpg.npy", "a.npy", "c.npy", "x/a.npy"], ["a", "b"])
    assert files.findings == ["a.npy: a.jpg.npy is there too; keep one"]
    assert files.unmatched == ["c.npy", "x/a.npy"] and list(files.of) == ["a"]
    assert MapFiles(["v1.2.npy"], ["v1.2", "v1"]).of == {"v1.2": "v1.2.npy"}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("b.pt", "1 .pt files (b.pt) are tensors of torch; save them with numpy.save"),
        ("b.PNG", "1 .png files (b.PNG) are pictures"),
        ("all.npz", "e.g. all.npz: maps of another split may lie there, and one file"),
    ],
)
def test_what_lies_there_instead_is_named(tmp_path, name, said):
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(UserError) as caught:
        MapFolder(tmp_path, [Annotation("b", 0, (8, 8), BOX, BOX)])
    assert "no score map" in str(caught.value) and said in str(caught.value)


def test_a_single_channel_is_the_map_and_several_are_refused(tmp_path):
    expected = np.arange(12, dtype=np.float32).reshape(3, 4)
    for shape in ((3, 4), (1, 3, 4), (3, 4, 1), (1, 1, 3, 4)):
        np.save(tmp_path / "b.npy", expected.reshape(shape))
        np.testing.assert_array_equal(read_map(tmp_path / "b.npy"), expected)
    np.save(tmp_path / "b.npy", np.zeros((1, 4)))
    assert read_map(tmp_path / "b.npy").shape == (1, 4)
    np.save(tmp_path / "b.npy", np.zeros((10, 3, 4)))
    with pytest.raises(UserError, match="array of 10 x 3 x 4; a score map is height x width"):
        read_map(tmp_path / "b.npy")
