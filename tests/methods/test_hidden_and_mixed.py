"""HaS and CutMix in training: what the network is shown, and what it is to say, by hand."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.nn import functional

from wsol.errors import UserError
from wsol.methods.cutmix import CutMix, rectangle
from wsol.methods.has import HideAndSeek


class Shown(nn.Module):
    """Keeps what it was shown; its logits are the means of six parts of the image."""

    def forward(self, images):
        self.images = images
        return SimpleNamespace(logits=images.mean(1).flatten(1).unfold(1, 24, 24).mean(2))


@pytest.fixture
def localizer():
    return Shown()


IMAGES = torch.arange(1.0, 1 + 5 * 3 * 12 * 12).view(5, 3, 12, 12) / 500
LABELS = torch.tensor([0, 1, 2, 3, 4])


def test_has_hides_whole_cells_in_all_channels_and_tells_the_whole_label(localizer):
    torch.manual_seed(0)
    output = HideAndSeek(localizer, grid_size=4, drop_rate=0.5).step(IMAGES, LABELS, "main")
    shown = localizer.images
    kept = shown != 0
    assert torch.equal(shown[kept], IMAGES[kept])
    cells = kept.view(5, 3, 3, 4, 3, 4).permute(0, 2, 4, 1, 3, 5).flatten(3)  # image, row, column
    assert torch.equal(cells.all(3), cells.any(3))
    assert 0.2 < cells.float().mean() < 0.8 and not torch.equal(cells[0], cells[1])
    torch.testing.assert_close(output.loss, functional.cross_entropy(output.logits, LABELS))


@pytest.mark.parametrize(("rate", "share"), [(0.0, 1.0), (1.0, 0.0)])
def test_has_hides_nothing_or_all(localizer, rate, share):
    HideAndSeek(localizer, grid_size=5, drop_rate=rate).step(IMAGES, LABELS, "main")
    assert (localizer.images != 0).float().mean() == share


def test_has_hides_as_often_as_it_is_told(localizer):
    torch.manual_seed(1)
    images, labels = torch.ones(20, 1, 60, 60), torch.zeros(20, dtype=torch.long)
    HideAndSeek(localizer, grid_size=1, drop_rate=0.3).step(images, labels, "main")
    assert (localizer.images == 0).float().mean() == pytest.approx(0.3, abs=0.01)


@pytest.mark.parametrize("seed", range(8))
def test_cutmix_by_hand(localizer, seed):
    torch.manual_seed(seed)
    output = CutMix(localizer).step(IMAGES, LABELS, "main")
    shown = localizer.images
    foreign = (shown != IMAGES).flatten(0, 1).any(0)  # (12, 12): where any image is another's
    kept = 1 - foreign.float().mean()
    if foreign.any():
        rows, columns = foreign.any(1).nonzero(), foreign.any(0).nonzero()
        assert foreign[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1].all()
    partners = [
        next(other for other in range(5) if torch.equal(IMAGES[other][:, foreign], own[:, foreign]))
        for own in shown
    ]
    losses = functional.cross_entropy(localizer(shown).logits, LABELS, reduction="none")
    others = functional.cross_entropy(localizer(shown).logits, LABELS[partners], reduction="none")
    torch.testing.assert_close(output.loss, (kept * losses + (1 - kept) * others).mean())
    assert output.log["kept"] == pytest.approx(float(kept), abs=1e-6)


def test_the_accuracy_is_by_the_label_of_the_larger_part():
    class Perfect(nn.Module):
        """Says the label of most of the image's pixels, whose value is their label."""

        def forward(self, images):
            counts = [(images[:, 0] == label).flatten(1).sum(1) for label in range(5)]
            return SimpleNamespace(logits=torch.stack(counts, dim=1).float())

    images = LABELS.view(5, 1, 1, 1).expand(5, 1, 12, 12).float()
    seen = set()
    for seed in range(20):
        torch.manual_seed(seed)
        output = CutMix(Perfect()).step(images, LABELS, "main")
        seen.add(output.log["kept"] >= 0.5)
        assert torch.equal(output.logits.argmax(1), LABELS)
    assert seen == {True, False}


def test_cutmix_leaves_batches_alone_at_its_rate(localizer):
    whole = 0
    for seed in range(200):
        torch.manual_seed(seed)
        output = CutMix(localizer, rate=0.25).step(IMAGES, LABELS, "main")
        if "kept" not in output.log:
            assert torch.equal(localizer.images, IMAGES)
            torch.testing.assert_close(output.loss, functional.cross_entropy(output.logits, LABELS))
            whole += 1
    assert 130 < whole < 170


def test_a_rectangle_by_hand():
    """Of 10 x 20 pixels a quarter is cut: half of each side, around row 1 and column 10, clipped."""
    cut = rectangle(10, 20, 0.75, (1, 10))
    assert cut == (0, 5, 3, 15) and cut.area == 30


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda localizer: HideAndSeek(localizer, grid_size=0), "grid_size 0 is at least 1"),
        (lambda localizer: HideAndSeek(localizer, drop_rate=1.5), "drop_rate 1.5 from 0 to 1"),
        (lambda localizer: CutMix(localizer, beta=0), "beta 0 is above 0"),
        (lambda localizer: CutMix(localizer, rate=-1), "rate -1 from 0 to 1"),
    ],
)
def test_options_out_of_range_are_named(localizer, make, said):
    with pytest.raises(UserError, match=said):
        make(localizer)
