"""Images without an object and named regions, from maps in a folder to the tables."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from wsol.board.board import read_board
from wsol.board.tables.table import frame as frame_of
from wsol.data.manifest.manifest import Manifest
from wsol.data.manifest.manifest_draft import DraftBox, DraftClass, DraftImage, ManifestDraft
from wsol.data.manifest.manifest_writing import write_manifest
from wsol.evaluation.evaluator import Evaluation
from wsol.pipeline.evaluate_maps import evaluate_maps
from wsol.pipeline.outputs.publish import Outputs
from wsol.pipeline.results.verify import verify
from wsol.recipe import EvaluationSettings

CORNERS = (2.0, 2.0, 10.0, 10.0)


@pytest.fixture(scope="module")
def scored(tmp_path_factory) -> tuple[Evaluation, np.ndarray, np.ndarray, object]:
    """A test split of 12 images with an object and 8 without, a val split only of the former."""
    folder = tmp_path_factory.mktemp("absence")
    rng = np.random.default_rng(0)
    images, maxima = [], {"val": [], "test": []}
    for split, shown in [("val", 1)] * 10 + [("test", 1)] * 12 + [("test", 0)] * 8:
        name = f"{split}{len(maxima[split])}"
        Image.fromarray(rng.integers(0, 255, (16, 16, 3), np.uint8)).save(folder / f"{name}.png")
        codes = np.zeros((16, 16), np.uint8)
        codes[2:10, 2:10] = shown
        codes[12:] = 2
        Image.fromarray(codes).save(folder / f"{name}.parts.png")
        score_map = rng.normal(size=(4, 4)) + 2 * shown * np.eye(4)[1] + rng.normal()
        np.save(folder / f"{name}.npy", score_map.astype(np.float32))
        maxima[split].append(score_map.astype(np.float32).max())
        boxes = (DraftBox(CORNERS, CORNERS, name),) * shown
        label = 0 if shown else None
        parts = f"{name}.parts.png"
        images.append(DraftImage(name, f"{name}.png", label, split, boxes, parts=parts))
    draft = ManifestDraft(
        "custom", "Absence", "1", folder, [DraftClass("digit", "digit")], images,
        part_names={1: "object", 2: "distractor"},
    )  # fmt: skip
    write_manifest(folder / "manifest", draft)
    evaluation = evaluate_maps(
        folder,
        Manifest.read(folder / "manifest"),
        EvaluationSettings(thresholds="val", protocol="halfopen"),
        outputs=Outputs(results=folder / "results"),
    )
    return evaluation, np.array(maxima["val"]), np.array(maxima["test"]), folder / "results"


def test_the_threshold_is_vals_which_shows_no_image_without_an_object(scored):
    evaluation, val, test, _ = scored
    threshold = np.sort(val)[0]  # of ten images 95 % are all
    assert evaluation.threshold["values"]["map_fpr95"] == threshold
    assert evaluation["map_fpr95"] == pytest.approx(100 * (test[12:] >= threshold).mean())
    higher = test[:12, None] > test[12:]
    assert evaluation["map_auroc"] == pytest.approx(100 * higher.mean())


def test_the_board_has_columns_for_them_and_their_arrays_give_them_again(scored):
    evaluation, _, _, results = scored
    verified = verify(results)
    assert verified.findings == [] and verified.equal == 1
    frame = frame_of(read_board(results).rows)
    for key in ("map_auroc", "map_fpr95", "lift_distractor", "auc_object_over_ground"):
        assert frame[key].tolist() == pytest.approx([evaluation[key]], abs=1e-3)
    assert "lift_context" not in frame and "softmax_auroc" not in frame
