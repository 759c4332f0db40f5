"""What a user's program with the front door looks like to a type checker; it is never run."""

from __future__ import annotations

from pathlib import Path
from typing import assert_type

import numpy as np
from numpy.typing import NDArray

import wsol


def boxes_of_arrays(score_map: NDArray[np.float32]) -> float:
    """Arrays in, arrays out."""
    found = wsol.box(score_map, threshold=0.2, size=(480, 640))
    if found is None:
        return 0.0
    every = wsol.boxes(score_map)
    between: float = wsol.iou([0, 0, 2, 2], [1, 0, 3, 2])
    return between + float(wsol.iou(found, every[0]))


def metrics(maps: list[NDArray[np.float32]], boxes: list[list[int]], masks: list[list[int]]) -> str:
    """One call a metric."""
    accuracy = assert_type(wsol.max_box_acc(maps, boxes, iou=0.5), wsol.MetricValue)
    figures = [
        accuracy,
        wsol.max_box_acc_v2(maps, boxes),
        wsol.gt_known_loc(maps, boxes, 0.2),
        wsol.mean_iou(maps, boxes),
        wsol.top1_loc(maps, boxes, [True] * len(maps)),
        wsol.pxap(maps, masks),
        wsol.peak_iou(maps, masks),
    ]
    assert_type(accuracy.value, float)
    return ", ".join(str(figure) for figure in figures)


def models(photo: Path) -> str:
    """A network that localizes."""
    model = assert_type(wsol.load("timm:resnet50"), wsol.Model)
    model.maps([photo], "cam")
    found = assert_type(model.localize(photo), wsol.Localization)
    table = assert_type(wsol.localize([photo], model, "found", threshold=0.2), Path)
    return f"{found.class_name} {found.probability:.2f} {table}"


def runs() -> None:
    """Training, scoring, boards."""
    recipe = assert_type(wsol.Recipe.from_yaml("configs/clutter/cam.yaml"), wsol.Recipe)
    run = assert_type(wsol.train(recipe), Path)
    outputs = wsol.Outputs(results="results", output="out", overlays=3)
    settings = wsol.EvaluationSettings(protocol="halfopen")
    evaluations = wsol.evaluate(run, settings, manifest="manifests/clutter", outputs=outputs)
    print(evaluations["cam"]["max_box_acc@0.5"])
    manifest = assert_type(wsol.Manifest.read("manifests/clutter"), wsol.Manifest)
    print(wsol.evaluate_maps("maps", manifest, settings)["max_box_acc@0.5"])
    conventions = wsol.Conventions(corners="inclusive", mask_values=("object=1-20", "ignore=255"))
    wsol.evaluate_images("photos", "boxes.json", run, conventions=conventions, outputs=outputs)
    wsol.benchmark(["configs/clutter/cam.yaml", recipe], seeds=[0, 1, 2], overlays=8)
    print(len(wsol.leaderboard("results", write=True)))
    attacks = [wsol.Attack("fgsm", 2), wsol.Attack("pgd", 2, steps=5)]
    print(wsol.robustness([run], attacks)[0].relative)
    print(wsol.transfer([run], manifest)[0].accuracy)
    print(wsol.propose(manifest, ["val"])[0].boxes)
    print(assert_type(wsol.demo("demo", small=True), Path))
    print(assert_type(wsol.diagnose("rfga", small=True), wsol.Diagnosis))


def records(path: Path) -> str:
    """What is written is read back; what is wrong has one line."""
    try:
        record = assert_type(wsol.RunRecord.read(path), wsol.RunRecord)
    except wsol.UserError as error:
        return str(error)
    return record.run_id + wsol.Protocol("mine").name


def in_a_loop() -> None:
    """Metrics of a validation loop."""
    for metric in (
        wsol.MaxBoxAcc(),
        wsol.MaxBoxAccV2(),
        wsol.GTKnownLoc(),
        wsol.TopKLoc(1),
        wsol.PxAP(),
        wsol.PeakIoU(),
        wsol.Rubinstein(3),
    ):
        metric.reset()
