from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from wsol.data.loading.transforms import Normalise, RandomCropFlip, squash, squash_boxes
from wsol.errors import UserError


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("shape", [(300, 200), (64, 64), (40, 90)])
def test_squashing_is_what_torchvision_does(shape):
    from torchvision.transforms import Resize

    image = Image.fromarray(noise(*shape))
    np.testing.assert_array_equal(squash(image, 64), np.asarray(Resize((64, 64))(image)))


def test_boxes_are_scaled_with_the_image():
    boxes = np.array([[10, 20, 30, 60], [0, 0, 100, 80]], np.float32)
    expected = [[5, 12.5, 15, 37.5], [0, 0, 50, 50]]
    np.testing.assert_array_equal(squash_boxes(boxes, (80, 100), 50), expected)


def test_normalise_is_the_formula():
    pixels = noise(4, 6)
    mean, std = (0.5, 0.4, 0.3), (0.2, 0.25, 0.5)
    found = Normalise(mean, std)(pixels)
    expected = (pixels.astype(np.float64) / 255 - mean) / std
    assert found.shape == (3, 4, 6) and found.dtype == torch.float32
    np.testing.assert_allclose(found.numpy(), expected.transpose(2, 0, 1), atol=1e-5)


def test_image_and_boxes_move_together():
    """A bright rectangle is painted where the box is; after crop and flip it must still be there."""
    pixels = np.zeros((32, 32, 3), np.uint8)
    pixels[12:20, 9:15] = 255
    boxes = np.array([[9, 12, 15, 20]], np.float32)
    augment = RandomCropFlip(24, 32, True)
    seen = set()
    for seed in range(40):
        cropped, moved = augment(pixels, torch.Generator().manual_seed(seed), boxes)
        assert cropped.shape == (24, 24, 3)
        rows, columns = (
            np.flatnonzero(cropped.any(axis=(1, 2))),
            np.flatnonzero(cropped.any(axis=(0, 2))),
        )
        expected = [[columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]]
        np.testing.assert_array_equal(moved, expected)
        seen.add(tuple(expected[0]))
    assert len(seen) > 20  # it does move


def test_a_box_is_cut_at_the_edge_of_the_crop():
    boxes = np.array([[0, 0, 32, 32], [0, 0, 1, 1]], np.float32)
    augment = RandomCropFlip(8, 32, False)
    _, moved = augment(noise(32, 32), torch.Generator().manual_seed(1), boxes)
    assert moved is not None
    np.testing.assert_array_equal(moved[0], [0, 0, 8, 8])
    assert (moved[1, 2:] - moved[1, :2] == 0).any()  # outside: empty


def test_without_room_and_flip_nothing_happens():
    pixels = noise(16, 16)
    same, boxes = RandomCropFlip(16, 16, False)(pixels, torch.Generator().manual_seed(0))
    np.testing.assert_array_equal(same, pixels)
    assert boxes is None


def test_half_are_flipped_and_all_places_are_reached():
    pixels = np.arange(6, dtype=np.uint8)[None, :, None].repeat(6, 0).repeat(3, 2)
    augment = RandomCropFlip(4, 6, True)
    first = []
    for seed in range(300):
        cropped, _ = augment(pixels, torch.Generator().manual_seed(seed))
        first.append((int(cropped[0, 0, 0]), int(cropped[0, 1, 0]) < int(cropped[0, 0, 0])))
    assert {value for value, flipped in first if not flipped} == {0, 1, 2}
    assert {value for value, flipped in first if flipped} == {3, 4, 5}
    assert 110 < sum(flipped for _, flipped in first) < 190


def test_a_crop_larger_than_the_image_is_refused():
    with pytest.raises(UserError, match=r"input_size \(224\) is larger than data.resize_size \(128\)"):
        RandomCropFlip(224, 128, True)
