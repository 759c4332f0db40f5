from __future__ import annotations

import hashlib

import numpy as np
import pytest
from skimage import data as photographs
from sklearn.datasets import load_digits

from wsol.data.digits.draws import Draws
from wsol.data.digits.material import CONTEXTS, SPLITS, glyphs, textures


def samples(seed: int, split: str) -> set[int]:
    return set(np.concatenate(glyphs(seed, split).by_digit).tolist())


def test_no_handwritten_sample_serves_two_splits():
    parts = [samples(0, split) for split in SPLITS]
    assert [len(part) for part in parts] == [1078, 179, 540]
    assert set.union(*parts) == set(range(1797))


def test_another_seed_gives_other_samples():
    shared = len(samples(0, "test") & samples(1, "test"))
    assert 130 < shared < 195  # 540 x 540 / 1797 are expected to be in both


def test_samples_are_of_their_digit():
    targets = load_digits().target
    for split in SPLITS:
        for digit, own in enumerate(glyphs(2, split).by_digit):
            assert len(own) and set(targets[own].tolist()) == {digit}


def test_ends_hold_all_ink_and_at_least_five_columns():
    found = glyphs(0, "val")
    for pixels, (top, left, bottom, right) in zip(found.pixels, found.ends.tolist(), strict=True):
        assert 0 <= top < bottom <= 8 and 0 <= left < right <= 8 and right - left >= 5
        outside = pixels.copy()
        outside[top:bottom, left:right] = 0
        assert outside.max() < 2
        assert pixels[top].max() >= 2 and pixels[bottom - 1].max() >= 2
        if right - left > 5:
            assert pixels[:, left].max() >= 2 and pixels[:, right - 1].max() >= 2


def test_no_sample_is_taken_twice_as_far_as_there_are_so_many():
    found = glyphs(0, "val")
    n, digit = 400, np.full(400, 3)
    draws, taken = Draws(n, 9), np.full((n, 0), -1)
    for _ in range(5):
        another = found.pick_another(digit, taken, draws)
        taken = np.concatenate([taken, another[:, None]], axis=1)
    assert np.isin(taken, found.by_digit[3]).all()
    assert all(len(set(row)) == 5 for row in taken.tolist())


def test_picks_are_spread_over_all_samples_of_the_digit():
    found = glyphs(0, "val")
    picked = found.pick(np.full(3000, 3), Draws(3000, 9))
    counts = np.array([(picked == sample).sum() for sample in found.by_digit[3]])
    expected = 3000 / len(counts)
    assert counts.sum() == 3000 and np.abs(counts - expected).max() < 5 * expected**0.5


@pytest.fixture(scope="module")
def levelled() -> dict[str, np.ndarray]:
    return dict(zip(CONTEXTS, textures(), strict=True))


def test_textures_are_levelled_photographs(levelled):
    """By floating point; whole numbers are rounded down, so at most one level below."""
    grass = photographs.grass().astype(float)
    sources = {
        "brick": photographs.brick().astype(float),
        "turned brick": photographs.brick().astype(float).T,
        "grass": grass,
        "coarse grass": np.kron(grass[:192, :192], np.ones((3, 3))),
        "stars": photographs.hubble_deep_field()[:512, :512, 1].astype(float),
    }
    for name, source in sources.items():
        expected = np.clip(128 + 32 * (source - np.floor(source.mean())) / source.std(), 0, 255)
        off = expected - levelled[name]
        assert off.min() >= -0.1 and off.max() <= 1.1, name


def test_no_texture_is_told_by_its_brightness(levelled):
    for name, texture in levelled.items():
        assert texture.dtype.kind == "i" and texture.min() >= 0 and texture.max() <= 255
        assert min(texture.shape) > 65
        assert abs(texture.mean() - 128) < 2, name
        # Stars above white are cut.
        assert abs(texture.std() - (25 if name == "stars" else 32)) < 0.5, name


def test_the_material_is_the_same_on_every_machine(levelled):
    """Where the files' digests differ, this says whether the photographs are already read otherwise."""
    together = hashlib.sha256()
    for texture in levelled.values():
        together.update(texture.astype("<i8").tobytes())
    pixels = glyphs(0, "train").pixels.astype("<i8").tobytes()
    assert (
        hashlib.sha256(pixels).hexdigest()
        == "51aa641716dc54df7cda17ac1b9bc24c2e97846b98914a2d56b3a0de2b4b2e53"
    )
    assert together.hexdigest() == "0219c393ca09dc69f31f1a778cd53b59024cded7e9980a69b1a3826e30b070a5"
