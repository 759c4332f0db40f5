"""Sizes come in the order of the images, by one thread or by many."""

import threading

import numpy as np
import pytest
from PIL import Image

from wsol.data.manifest import image_sizes as sizes
from wsol.data.manifest.manifest_draft import DraftImage, ManifestDraft


@pytest.mark.parametrize("waits", [0.0, float("inf")])
def test_every_image_has_its_own_size_in_order(waits, tmp_path, monkeypatch):
    monkeypatch.setattr(sizes, "WAITS", waits)
    monkeypatch.setattr(sizes, "TASK", 4)
    monkeypatch.setattr(sizes, "CHUNK", 10)
    threads = set()
    read = sizes.image_header

    def noted(path, **options):
        threads.add(threading.current_thread().name)
        return read(path, **options)

    monkeypatch.setattr(sizes, "image_header", noted)
    for number in range(23):
        Image.fromarray(np.zeros((1 + number, 40), np.uint8)).save(tmp_path / f"{number}.png")
    (tmp_path / "5.png").unlink()
    (tmp_path / "6.png").write_bytes(b"")
    images = [DraftImage(str(number), f"{number}.png", 0, "train") for number in range(23)]
    draft = ManifestDraft("custom", "mine", "1", tmp_path, [], images)
    found = list(sizes.sized_images(draft, tmp_path, tmp_path, 3))
    assert [one.image.image_id for one in found] == [image.image_id for image in images]
    expected = [None if number in (5, 6) else (1 + number, 40) for number in range(23)]
    assert [one.size for one in found] == expected
    assert [len(one.problems) for one in found] == [int(number == 6) for number in range(23)]
    # The first four of every ten are read here in any case: they tell whether storage waits.
    assert (len(threads) > 1) == (waits == 0)
