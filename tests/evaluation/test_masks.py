"""Mask files, their union with ignore regions, and pixel histograms against NumPy's."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from wsol.errors import UserError
from wsol.evaluation.masks import pixel_histograms, read_mask, true_mask
from wsol.files.pictures.images import open_mask
from wsol.scores.protocol import protocol_named
from wsol.scores.samples import Annotation


@pytest.mark.golden
def test_instances_and_ignore_regions_combine_as_the_reference_does(golden_file, tmp_path):
    data = np.load(golden_file("evaluator_masks.npz"))
    cases = sorted({key.split("/")[1] for key in data.files if key.startswith("combine/")})
    assert cases
    for case in cases:
        files = []
        for number, mask in enumerate(data[f"combine/{case}/instance_masks"]):
            files.append(str(tmp_path / f"{case}_{number}.png"))
            Image.fromarray(mask).save(files[-1])
        ignore = tmp_path / f"{case}_ignore.png"
        Image.fromarray(data[f"combine/{case}/ignore_mask"]).save(ignore)
        result = data[f"combine/{case}/result"]
        annotation = Annotation(case, 0, (1, 1), masks=tuple(files), ignore=(str(ignore),))
        np.testing.assert_array_equal(true_mask(annotation, result.shape), result)


def test_without_masks_everything_is_background():
    assert not true_mask(Annotation("a", 0, (4, 5)), (4, 5)).any()


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "I;16"])
def test_a_pixel_is_set_where_any_channel_is(tmp_path, mode):
    shape = np.zeros((5, 7), bool)
    shape[1:3, 2:6] = True
    if mode == "P":
        image = Image.fromarray(shape.astype(np.uint8), "P")
        image.putpalette([0, 0, 0, 0, 0, 0])  # the object's colour is black: the index counts
    elif mode == "I;16":
        image = Image.fromarray(shape.astype(np.uint16) * 300)
    else:
        image = Image.fromarray(shape.astype(np.uint8) * 255).convert(mode)
    image.save(tmp_path / "mask.png")
    np.testing.assert_array_equal(read_mask(tmp_path / "mask.png"), shape)


def test_a_faint_colour_counts(tmp_path):
    colours = np.zeros((2, 2, 3), np.uint8)
    colours[0, 1, 2] = 1
    Image.fromarray(colours).save(tmp_path / "mask.png")
    assert read_mask(tmp_path / "mask.png").tolist() == [[False, True], [False, False]]


@pytest.mark.parametrize("mode", ["1", "P", "LA", "PA", "CMYK", "I;16", "F"])
def test_the_evaluator_reads_masks_as_the_data_room_does(tmp_path, mode):
    inside = np.array([[0, 1, 0], [0, 1, 1]], bool)
    if mode in ("I;16", "F"):
        image = Image.fromarray(inside.astype(np.uint16 if mode == "I;16" else np.float32) * 1)
    elif mode == "CMYK":
        image = Image.fromarray(np.stack([inside.astype(np.uint8)] * 4, -1), mode)
    else:
        image = Image.fromarray(inside.astype(np.uint8) * 255).convert(mode)
    path = tmp_path / "mask.tif"
    image.save(path)
    np.testing.assert_array_equal(read_mask(path), inside)
    np.testing.assert_array_equal(read_mask(path), open_mask(path))


def test_damage_in_the_middle_is_named(tmp_path):
    path = tmp_path / "mask.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8)).save(path)
    whole = path.read_bytes()
    for place in range(30, len(whole), 97):
        path.write_bytes(whole[:place] + b"\xff\x00" + whole[place + 2 :])
        try:
            read_mask(path)
        except UserError as error:
            assert "mask.png" in str(error)


def test_arrays_are_masks_too_and_bad_files_are_named(tmp_path):
    np.save(tmp_path / "mask.npy", np.array([[0.0, 1.0]]))
    assert read_mask(tmp_path / "mask.npy").tolist() == [[False, True]]
    (tmp_path / "broken.png").write_bytes(b"not a picture")
    for name in ("broken.png", "absent.png", "absent.npy"):
        with pytest.raises(UserError, match=name):
            read_mask(tmp_path / name)


@pytest.mark.parametrize("step", [0.5, 0.1, 0.01, 0.003, 0.001])
def test_pixel_histograms_equal_numpys_on_the_edges_too(step):
    rng = np.random.default_rng(0)
    edges = protocol_named("choe2020", step).bin_edges
    # Every edge, its neighbours in float64, and values between.
    scores = np.concatenate([edges[:-2], np.nextafter(edges[1:-2], 0), np.nextafter(edges[:-3], 1),
                             rng.random(500)])  # fmt: skip
    scores = scores[None]
    mask = rng.choice(np.array([0, 1, 255], np.uint8), scores.shape)
    positives, negatives = pixel_histograms(scores, mask, edges)
    np.testing.assert_array_equal(positives[1:], np.histogram(scores[mask == 1], edges)[0])
    np.testing.assert_array_equal(negatives[1:], np.histogram(scores[mask == 0], edges)[0])
    assert positives[0] == negatives[0] == 0


def test_what_lies_outside_a_given_mask_is_below_every_threshold():
    scores = np.array([[1.0, -1.0, -1.0, 1.0]])
    mask = np.array([[1, 1, 0, 255]], np.uint8)
    positives, negatives = pixel_histograms(scores, mask, protocol_named("choe2020", 0.5).bin_edges)
    assert positives.tolist() == [1, 0, 0, 1, 0]
    assert negatives.tolist() == [1, 0, 0, 0, 0]
