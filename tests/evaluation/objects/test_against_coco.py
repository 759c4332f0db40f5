"""The matching and AP of several objects, against COCO's own evaluation code on random sets."""

from __future__ import annotations

import contextlib
import io

import numpy as np
import pytest

from wsol.evaluation.objects.figures import object_figures
from wsol.evaluation.objects.image_objects import ImageObjects, pair_iou
from wsol.evaluation.objects.matching import SCORED_LEVELS, match
from wsol.evaluation.objects.region import Region
from wsol.evaluation.objects.tally import Tally

coco = pytest.importorskip("pycocotools.coco")
cocoeval = pytest.importorskip("pycocotools.cocoeval")
rasters = pytest.importorskip("pycocotools.mask")

CLASSES, SIDE = 4, 64


def random_set(seed, images=200):
    """Truth and predictions ``(image, class, x, y, width, height, ignore or score)``, whole pixels."""
    generator = np.random.default_rng(seed)
    true, predicted = [], []
    for image in range(1, images + 1):
        for _ in range(generator.integers(0, 6)):
            box = [*generator.integers(0, 40, 2), *generator.integers(4, 24, 2)]
            category = generator.integers(0, CLASSES)
            true.append((image, category, *box, generator.random() < 0.15))
            for _ in range(generator.integers(0, 3)):
                near = np.array(box) + generator.integers(-2, 3, 4)
                near = np.maximum(near, [0, 0, 1, 1])
                other = category if generator.random() < 0.8 else generator.integers(0, CLASSES)
                predicted.append((image, other, *near, generator.integers(0, 6) / 5))
        for _ in range(generator.integers(0, 3)):
            box = [*generator.integers(0, 40, 2), *generator.integers(4, 24, 2)]
            predicted.append((image, generator.integers(0, CLASSES), *box, generator.integers(0, 6) / 5))
    return images, true, predicted


def ours(images, true, predicted, masks):
    tally = Tally()
    for image in range(1, images + 1):
        sides = []
        for rows in (true, predicted):
            own = np.array([row[1:] for row in rows if row[0] == image], np.float64).reshape(-1, 6)
            boxes = np.concatenate([own[:, 1:3], own[:, 1:3] + own[:, 3:5]], axis=1)
            sides.append((boxes, own[:, 0].astype(np.int32), own[:, 5]))
        (box, label, ignore), (boxes, labels, scores) = sides
        pair = (
            ImageObjects(
                boxes, labels, np.zeros(len(boxes), bool), scores, drawn(boxes) if masks else ()
            ),
            ImageObjects(box, label, ignore.astype(bool), None, drawn(box) if masks else ()),
        )
        tally.add(*pair, match(*pair, pair_iou(*pair), SCORED_LEVELS))
    names = [str(number) for number in range(CLASSES)]
    return object_figures(tally.tallied(), names, SCORED_LEVELS, scored=True)


def ellipse(box):
    """The ellipse in a box: other pixels than its rectangle's."""
    x0, y0, x1, y1 = box
    y, x = np.mgrid[:SIDE, :SIDE] + 0.5
    inside = ((x - (x0 + x1) / 2) / (x1 - x0)) ** 2 + ((y - (y0 + y1) / 2) / (y1 - y0)) ** 2 <= 0.25
    inside[int(y0), int(x0)] = True
    return inside


def drawn(boxes):
    return tuple(Region.of(ellipse(box)) for box in boxes)


def theirs(images, true, predicted, masks):
    def entry(number, image, category, x, y, width, height):
        found = {"id": number, "image_id": int(image), "category_id": int(category) + 1}
        box = [int(value) for value in (x, y, width, height)]
        found |= {"bbox": box, "area": box[2] * box[3]}
        if masks:
            pixels = ellipse((x, y, x + width, y + height))
            found["segmentation"] = rasters.encode(np.asfortranarray(pixels.astype(np.uint8)))
            found["area"] = int(pixels.sum())
        return found

    with contextlib.redirect_stdout(io.StringIO()):
        truth = coco.COCO()
        truth.dataset = {
            "images": [{"id": image, "height": SIDE, "width": SIDE} for image in range(1, images + 1)],
            "categories": [{"id": number + 1, "name": str(number)} for number in range(CLASSES)],
            "annotations": [
                entry(number, *row[:6]) | {"iscrowd": int(row[6])}
                for number, row in enumerate(true, start=1)
            ],
        }
        truth.createIndex()
        results = [
            entry(number, *row[:6]) | {"score": float(row[6])} for number, row in enumerate(predicted)
        ]
        if masks:
            results = [{key: each[key] for key in each if key != "bbox"} for each in results]
        evaluation = cocoeval.COCOeval(truth, truth.loadRes(results), "segm" if masks else "bbox")
        # COCO takes 100 predictions of an image and class at most: no image here has more.
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation


@pytest.mark.parametrize("masks", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_ap_and_recall_are_cocos(seed, masks, monkeypatch):
    monkeypatch.setattr("wsol.evaluation.objects.figures.RESAMPLES", 4)
    monkeypatch.setattr("wsol.evaluation.objects.figures.FEWEST_RESAMPLES", 2)
    data = random_set(seed)
    figures, evaluation = ours(*data, masks), theirs(*data, masks)
    mean = figures.mean.figures
    assert mean["ap@0.5:0.95"]["value"] / 100 == pytest.approx(evaluation.stats[0], abs=1e-9)
    assert mean["ap@0.5"]["value"] / 100 == pytest.approx(evaluation.stats[1], abs=1e-9)
    assert 0.1 < evaluation.stats[1] < 0.9
    # (levels, recalls, classes, areas, counts): all areas, 100 predictions an image.
    precision, recall = evaluation.eval["precision"][..., 0, -1], evaluation.eval["recall"][..., 0, -1]
    for place, group in enumerate(figures.classes):
        for level, row in (("0.5", 0), ("0.7", 4)):
            expected = precision[row, :, place].mean()
            assert group.figures[f"ap@{level}"]["value"] / 100 == pytest.approx(expected, abs=1e-9)
            expected = recall[row, place]
            assert group.figures[f"recall@{level}"]["value"] / 100 == pytest.approx(expected, abs=1e-9)
