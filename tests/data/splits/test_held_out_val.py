from __future__ import annotations

import random
from collections import Counter
from hashlib import sha256

import pytest

from wsol.data.layouts.cub import LAYOUT
from wsol.data.splits.held_out_val import plan_train, smallest_per_class
from wsol.errors import UserError

LISTING = [(f"image{number}", number % 7) for number in range(7 * 40)]
LABELS = dict(LISTING)


def plan(has_val: bool = False, **options: object):
    return plan_train(LISTING, LAYOUT.options(**options), has_val=has_val)


def by_split(made) -> dict[str | None, list[str]]:
    found: dict[str | None, list[str]] = {}
    for image_id, _ in LISTING:
        found.setdefault(made.split(image_id), []).append(image_id)
    return found


def test_five_a_class_are_held_out_once_and_for_all():
    found = by_split(plan())
    assert Counter(LABELS[image_id] for image_id in found["val"]) == dict.fromkeys(range(7), 5)
    assert len(found["train"]) == 7 * 35
    # The fold is part of every row that is scored on it: it must never move.
    draws = sorted(LABELS, key=lambda image_id: sha256(f"0/val/{image_id}".encode()).hexdigest())
    for label in range(7):
        expected = [image_id for image_id in draws if LABELS[image_id] == label][:5]
        assert {image_id for image_id in found["val"] if LABELS[image_id] == label} == set(expected)


def test_the_choice_depends_neither_on_order_nor_on_other_classes():
    shuffled = LISTING[:]
    random.Random(1).shuffle(shuffled)
    assert smallest_per_class(shuffled, 5, "val") == smallest_per_class(LISTING, 5, "val")
    one = [pair for pair in LISTING if pair[1] == 3]
    chosen = smallest_per_class(one, 5, "val")
    assert chosen == {name for name in smallest_per_class(LISTING, 5, "val") if LABELS[name] == 3}
    assert smallest_per_class(one, 2, "val") < chosen
    assert smallest_per_class(one, 5, "other") != chosen


def test_small_classes_keep_half_of_their_images():
    listing = [("a", 0), ("b", 0), ("c", 0), ("d", 1)]
    assert len(smallest_per_class(listing, 5, "val", at_most_half=True)) == 1
    assert len(smallest_per_class(listing, 5, "val")) == 4


def test_a_data_set_with_a_val_loses_no_image():
    made = plan(has_val=True)
    assert set(by_split(made)) == {"train"} and made.val_fold == {} and made.notes == []


def test_options_shrink_train_and_leave_the_fold():
    fold = by_split(plan())["val"]
    few = by_split(plan(per_class=3))
    assert few["val"] == fold
    assert Counter(LABELS[image_id] for image_id in few["train"]) == dict.fromkeys(range(7), 3)
    proxy = by_split(plan(proxy_train=True))
    assert proxy["val"] == fold
    assert 0.04 < len(proxy["train"]) / 245 < 0.2  # a tenth, give or take
    both = by_split(plan(per_class=1, proxy_train=True))
    assert set(both["train"]) <= set(proxy["train"])


def test_negative_counts_are_refused():
    with pytest.raises(UserError, match="0 or more"):
        plan(val_fold=-1)
