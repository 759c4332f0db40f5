"""The torchmetrics classes equal the evaluator, and two processes equal one."""

from __future__ import annotations

import multiprocessing

import numpy as np
import pytest

from wsol.evaluation.evaluator import collect, score
from wsol.scores.protocol import ThresholdPolicy, protocol_named
from wsol.scores.samples import Annotation, Prediction

torch = pytest.importorskip("torch")

N, SIDE, CLASSES = 23, 60, 3


def split():
    """Maps, ragged boxes, masks, class scores and labels of N images; one image without a box."""
    generator = torch.Generator().manual_seed(3)
    maps = torch.rand(N, 6, 6, generator=generator)
    labels = torch.arange(N) % CLASSES
    logits = torch.rand(N, CLASSES, generator=generator) + 0.7 * torch.eye(CLASSES)[labels]
    boxes, masks = [], torch.zeros(N, SIDE, SIDE, dtype=torch.uint8)
    for row in range(N):
        corners = torch.randint(0, SIDE // 2, (1 + row % 2, 2), generator=generator)
        sides = torch.randint(8, SIDE // 2, (1 + row % 2, 2), generator=generator)
        boxes.append(torch.cat([corners, corners + sides], dim=1) if row else torch.zeros(0, 4))
        for x0, y0, x1, y1 in boxes[-1].int().tolist():
            masks[row, y0:y1, x0:x1] = 1
        masks[row, :2] = 255
    return maps, boxes, masks, logits, labels


def metrics():
    from wsol.evaluation.in_memory import torch_metrics as tm

    return {
        "max_box_acc@0.3": tm.MaxBoxAcc(0.3, step=0.01),
        "gt_known_loc@0.5": tm.GTKnownLoc(step=0.01),
        "max_box_acc_v2": tm.MaxBoxAccV2(step=0.01),
        "top1_loc@0.5": tm.TopKLoc(1, step=0.01),
        "fixed top5_loc@0.5": tm.TopKLoc(2, threshold=0.4),
        "pxap": tm.PxAP(step=0.01),
        "peak_iou": tm.PeakIoU(step=0.01),
        "rubinstein": tm.Rubinstein(CLASSES, step=0.01),
    }


def feed(metric, key, rows):
    maps, boxes, masks, logits, labels = split()
    for batch in (rows[:5], rows[5:]):
        chosen = [boxes[row] for row in batch]
        if "top" in key:
            metric.update(maps[batch], chosen, logits[batch], labels[batch], (SIDE, SIDE))
        elif key == "rubinstein":
            metric.update(maps[batch], masks[batch], labels[batch])
        elif key in ("pxap", "peak_iou"):
            metric.update(maps[batch], masks[batch])
        else:
            metric.update(maps[batch], chosen, (SIDE, SIDE))
    return metric.compute()


def of_evaluator(monkeypatch):
    maps, boxes, masks, logits, labels = split()
    annotations, predictions = [], []
    for row in range(N):
        true = boxes[row].numpy().astype(np.float32)
        size = (SIDE, SIDE)
        annotations.append(Annotation(str(row), int(labels[row]), size, true, true, masks=(str(row),)))
        top = tuple(logits[row].argsort(descending=True)[:2].tolist())
        predictions.append(Prediction(str(row), int(labels[row]), top, maps[row].numpy()))
    monkeypatch.setattr(
        "wsol.evaluation.scored_image.true_mask",
        lambda annotation, size: masks[int(annotation.image_id)].numpy(),
    )
    results = {}
    for name, policy in (
        ("choe2020", "oracle"),
        ("rubinstein2013", "oracle"),
        ("choe2020", "fixed:0.4"),
    ):
        convention = protocol_named(name, 0.01)
        pixels = name == "rubinstein2013"
        per_image = collect(predictions, annotations, convention, pixels=pixels)
        parsed = ThresholdPolicy.parse(policy)
        results[name, policy] = score(per_image, convention, policy=parsed, intervals=False)
    return results


def test_classes_equal_the_evaluator(monkeypatch):
    results = of_evaluator(monkeypatch)
    oracle = results["choe2020", "oracle"]
    # The masks are not 224 x 224: the classes take their size, as rubinstein2013 does.
    original = results["rubinstein2013", "oracle"]
    everything = list(range(N))
    for key, metric in metrics().items():
        value = feed(metric, key, everything)
        if key == "rubinstein":
            assert value[0].item() == pytest.approx(original["rubinstein_p"], abs=1e-9)
            assert value[1].item() == pytest.approx(original["rubinstein_j"], abs=1e-9)
        elif key.startswith("fixed"):
            fixed = results["choe2020", "fixed:0.4"]
            assert value.item() == fixed["top5_loc@0.5"]
        else:
            expected = original[key] if key in ("pxap", "peak_iou") else oracle[key]
            assert value.item() == pytest.approx(expected, abs=1e-12)


def test_boxes_outside_the_maps_ask_for_the_size():
    from wsol.evaluation.in_memory.torch_metrics import MaxBoxAcc

    with pytest.raises(ValueError, match="give size"):
        MaxBoxAcc().update(torch.rand(1, 7, 7), torch.tensor([[10, 10, 90, 90]]))


def values_of(rows):
    """Every metric fed with these rows, as lists of numbers."""
    found = {}
    for key, metric in metrics().items():
        value = feed(metric, key, rows)
        found[key] = [each.item() for each in (value if isinstance(value, tuple) else (value,))]
    return found


def one_rank(number, store, answers):
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", f"file://{store}", rank=number, world_size=2)
    answers.put(values_of(list(range(number, N, 2))))
    torch.distributed.destroy_process_group()


def test_two_processes_equal_one(tmp_path):
    alone = values_of(list(range(N)))
    # Forked, since torchmetrics takes seconds to load and is loaded here already.
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    ranks = [
        context.Process(target=one_rank, args=(number, tmp_path / "store", answers), daemon=True)
        for number in range(2)
    ]
    for process in ranks:
        process.start()
    assert answers.get(timeout=100) == alone
    assert answers.get(timeout=100) == alone
    for process in ranks:
        process.join()
