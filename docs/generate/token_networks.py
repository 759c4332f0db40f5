"""The small ViT on digits without distractors: every map of a token network, on three trainings each."""

from __future__ import annotations

from collections.abc import Sequence

from digits_tables import plain
from markdown_table import table

from wsol.board.rows.rows import Row
from wsol.board.tables.sections import Section

# What the records call the images: base and a training set of its own, without a distractor.
ALONE = "digits base 0 taught"
BACKBONE = "small_vit"
TRAINED = 90.0
INSIDE = "auc_object_over_ground"
FIGURES = {
    "max_box_acc@0.3": "MaxBoxAcc .3",
    "max_box_acc@0.5": "MaxBoxAcc .5",
    "max_box_acc@0.7": "MaxBoxAcc .7",
    INSIDE: "object over ground AUC",
}

TEXT = """## Maps of a small ViT

A ViT of six blocks behind a convolutional stem (`configs/tokens/small_vit.yaml`, 24 epochs, float32),
from scratch, on digits without distractors, which are a training set of their own: a digit is all that
is bright, and its brightness finds it. Three networks, each of three seeds: tokens averaged under class
maps (CAM), a linear head on the class token, and TS-CAM. *Object over ground*: the chance that a pixel
of the digit has more of the map than one of the texture. Below 50 the map is the wrong way round: the
digit is a hole in it.

A network below top-1 {trained:.0f} is called not trained, and its maps stand in parentheses.
"""

COMMANDS = """```bash
wsol prepare digits --distractors 0 --taught --output manifests/digits-alone
VIT="--config configs/tokens/small_vit.yaml --seeds 0,1,2 --results results"
wsol benchmark $VIT --evaluation.maps cam,features,cut,cut:component,torchcam:GradCAM
wsol benchmark $VIT --head.name class_token --backbone.options.class_token true \\
    --evaluation.maps class_token,rollout,legrad,cut,cut:component,cut:keys,features
wsol benchmark $VIT --method ts_cam --backbone.options.class_token true \\
    --evaluation.maps ts_cam,cam,features
```
"""


def token_networks(sections: Sequence[Section]) -> list[str]:
    """The part of the page; nothing where there are no such rows."""
    section = next((one for one in sections if one.place[0] == ALONE), None)
    if section is None or not any(row["backbone"] == BACKBONE for row in section.rows):
        return []
    rows = [row for row in section.rows if row["backbone"] in (BACKBONE, "")]
    # As the board ranks them, each network's together.
    networks = list(dict.fromkeys(map(network, rows)))
    ordered = sorted(rows, key=lambda row: networks.index(network(row)))
    head = ["network", "map", "top-1", "by seed", *FIGURES.values()]
    lines = [_cells(row) for row in ordered]
    return [TEXT.format(trained=TRAINED), table(head, lines, left=2), COMMANDS]


def network(row: Row) -> str:
    """What the table calls the network of a row; empty where there is none."""
    if not row["backbone"]:
        return ""
    what = row.records[0].recipe["what"]
    if what["method"]["name"] == "ts_cam":
        return "TS-CAM"
    return "class token" if what["head"]["name"] == "class_token" else "CAM"


def _cells(row: Row) -> list[str]:
    accuracy = row.estimates.get("top1_acc")
    taught = accuracy is None or accuracy.value is None or accuracy.value >= TRAINED
    by_seed = ", ".join(f"{value:.1f}" for value in row.values("top1_acc") if value is not None)
    figures = [plain(row.estimates.get(key)) for key in FIGURES]
    if not taught:
        figures = [f"({text})" if text else "" for text in figures]
    name = network(row) or "*none*"
    return [
        name,
        f"*{row['maps']}*" if not row["backbone"] else row["maps"],
        plain(accuracy),
        by_seed,
        *figures,
    ]
