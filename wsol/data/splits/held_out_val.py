"""Which training images are held out as val, or kept at all: seeded, one rule for every data set.

Each image gets a number from a hash of the split seed and its id. The choice therefore depends neither
on the order of the listing nor on the other images, and 1.28 million images need no memory.
"""

from __future__ import annotations

import hashlib
import heapq
from argparse import ArgumentParser, Namespace
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from wsol.data.manifest.manifest_draft import DraftImage
from wsol.errors import UserError

SPLIT_SEED = 0  # never changed: other held-out images would be another protocol
PROXY_SHARE = 0.1  # wsolevaluation offers a tenth of ImageNet's train as its proxy


def add_split_options(parser: ArgumentParser) -> None:
    """The options of every layout with a train split."""
    parser.add_argument(
        "--val-fold",
        type=int,
        default=5,
        metavar="N",
        help="hold N images a class out of train as val where the data set has no val; 0: none",
    )
    parser.add_argument(
        "--proxy-train", action="store_true", help="keep a seeded tenth of train (quick searches)"
    )
    parser.add_argument(
        "--per-class",
        type=int,
        default=0,
        metavar="N",
        help="keep N seeded train images a class; 0: all",
    )


@dataclass
class TrainPlan:
    """Where each training image goes; made by `plan_train`."""

    val: set[str] = field(default_factory=set)
    kept: set[str] | None = None
    proxy: bool = False
    per_fold: int = 0
    notes: list[str] = field(default_factory=list)

    def split(self, image_id: str) -> str | None:
        """``val``, ``train``, or None where the image is left out."""
        if image_id in self.val:
            return "val"
        if self.kept is not None:
            return "train" if image_id in self.kept else None
        return "train" if not self.proxy or draw("proxy", image_id) < PROXY_SHARE * 2**64 else None

    def place(self, images: Iterable[DraftImage]) -> Iterator[DraftImage]:
        """The images, those of train where the plan puts them; the ones that stay in train lose all but
        their label."""
        for image in images:
            split = self.split(image.image_id) if image.split == "train" else image.split
            if split == "train":
                yield image._replace(boxes=(), masks=(), parts="")
            elif split is not None:
                yield image._replace(split=split)

    @property
    def val_fold(self) -> dict[str, Any]:
        """How the fold was made, for manifest.json; empty without one."""
        if not self.val:
            return {}
        return {"seed": SPLIT_SEED, "per_class": self.per_fold, "images": len(self.val)}


def plan_train(listing: Iterable[tuple[str, int]], options: Namespace, *, has_val: bool) -> TrainPlan:
    """Plan the train split of (image_id, label) pairs by the options of `add_split_options`.

    The fold is drawn first, so it is the same under ``--proxy-train`` and ``--per-class``.
    """
    if min(options.val_fold, options.per_class) < 0:
        raise UserError("--val-fold and --per-class count images: 0 or more")
    per_fold = 0 if has_val else options.val_fold
    plan = TrainPlan(proxy=options.proxy_train, per_fold=per_fold)
    if not per_fold and not options.per_class:
        return _noted(plan, options)
    pairs = listing if not options.per_class else list(listing)
    if per_fold:
        plan.val = smallest_per_class(pairs, per_fold, "val", at_most_half=True)
    if options.per_class:
        rest = [pair for pair in pairs if plan.split(pair[0]) == "train"]
        plan.kept = smallest_per_class(rest, options.per_class, "per class")
    return _noted(plan, options)


def smallest_per_class(
    listing: Iterable[tuple[str, int]], count: int, purpose: str, *, at_most_half: bool = False
) -> set[str]:
    """The ``count`` ids of each class with the smallest draws; only those are held in memory.

    With ``at_most_half`` a class keeps at least half of its images out of the choice.
    """
    heaps: dict[int, list[tuple[int, str]]] = defaultdict(list)
    sizes: Counter[int] = Counter()
    for image_id, label in listing:
        sizes[label] += 1
        heap, entry = heaps[label], (-draw(purpose, image_id), image_id)
        if len(heap) < count:
            heapq.heappush(heap, entry)
        else:
            heapq.heappushpop(heap, entry)
    chosen: set[str] = set()
    for label, heap in heaps.items():
        share = min(count, sizes[label] // 2) if at_most_half else count
        chosen.update(image_id for _, image_id in sorted(heap, reverse=True)[:share])
    return chosen


def _noted(plan: TrainPlan, options: Namespace) -> TrainPlan:
    if plan.val:
        plan.notes.append(
            f"val is a fold of train, {plan.per_fold} images a class (split seed {SPLIT_SEED}): "
            "a protocol of its own, not to be ranked with rows whose val is the reference's"
        )
    if options.proxy_train:
        plan.notes.append("train is a seeded tenth (--proxy-train)")
    if options.per_class:
        plan.notes.append(f"train is {options.per_class} seeded images a class (--per-class)")
    return plan


def draw(purpose: str, image_id: str) -> int:
    """A number below 2^64, uniform and independent for each purpose and image."""
    text = f"{SPLIT_SEED}/{purpose}/{image_id}"
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:8], "big")
