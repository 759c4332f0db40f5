"""A split of no images is left out, as `wsol prepare digits --train 0` says."""

import pytest

from wsol.data.layouts import DATASETS
from wsol.data.prepare import prepare


@pytest.mark.parametrize("test", ["base", "parts", "context"])
def test_without_training_images_the_others_are_drawn(test, tmp_path):
    options = DATASETS.get("digits").options(test=test, train=0, val=0, images=3)
    info = prepare("digits", None, tmp_path / "set", options=options)
    assert info["counts"]["images"] == {"test": 3}
    assert sorted(path.name for path in (tmp_path / "set/images").iterdir()) == ["test"]
