"""The recipe of every row that is trained on digits: one network, one budget."""

from __future__ import annotations

from pathlib import Path

from wsol.data.layouts.digits import NAMES
from wsol.methods.build import trained_localizer
from wsol.models.localizer import Localizer
from wsol.models.tapped_head import TappedHead
from wsol.recipe import (
    AttentionSettings,
    BackboneSettings,
    DataSettings,
    EvaluationSettings,
    How,
    MethodSettings,
    Recipe,
    TrainingSettings,
)
from wsol.training.device import computes_bf16

SIDE = 64
BACKBONE = "small_resnet"
# At 8 epochs CAM classifies 97 of 100 test images, but TDAM on `parts` 82 and LTPA on `base` 75: maps
# of networks that classify differently are not compared.
TRAINING = TrainingSettings(
    epochs=12,
    batch_size=32,
    optimizer="adamw",
    lr=0.003,
    weight_decay=0.05,
    schedule="cosine",
    precision="bf16-mixed",
    channels_last=True,
)
CLASS_KEYS = [str(digit) for digit in range(len(NAMES))]


def digits_recipe(
    attention: AttentionSettings, method: MethodSettings, manifest: Path | str, how: How
) -> Recipe:
    """The recipe of a row on the training set of ``manifest``; of an empty one, on `base`."""
    return Recipe(
        # A mirrored digit is another sign: no flips.
        data=DataSettings(
            name="digits",
            manifest=Path(manifest).as_posix() if manifest else "",
            input_size=SIDE,
            resize_size=SIDE,
            flip=False,
        ),
        backbone=BackboneSettings(name=BACKBONE),
        attention=attention,
        method=method,
        training=TRAINING,
        evaluation=EvaluationSettings(protocol="halfopen", maps=[own_map(attention)], masks=False),
        how=how,
    )


def on_this_machine(recipe: Recipe) -> Recipe:
    """The recipe as it trains in minutes here: in float32 where the CPU has no bf16 of its own.

    That is another recipe, and so are its rows: a board says in what they differ.
    """
    if recipe.training.precision == "bf16-mixed" and not computes_bf16(recipe.how.device):
        return recipe.changed(training={"precision": "32-true"})
    return recipe


def own_map(attention: AttentionSettings) -> str:
    """The map that a row is read by: its CAM, or what the module shows where it replaces the head."""
    localizer = localizer_of(attention)
    replaced = isinstance(localizer.head, TappedHead) and localizer.default_map is not None
    return "attention" if replaced else "cam"


def row_name(backbone: str, attention: str, method: str) -> str:
    """What tables of digits call a row: by what it has besides CAM on the network of all rows.

    That is ``se``, ``has``, ``se, dreal`` or ``attention56``; CAM itself is ``none``, as its attention
    is called, and maps without a network have no name.
    """
    usual = {"", "cam", "none", BACKBONE}
    return ", ".join(part for part in (backbone, attention, method) if part not in usual) or attention


def controls_of(name: str) -> tuple[str, ...]:
    """The rows (`row_name`) that a row is compared with besides CAM and the control.

    Of RFGA with a part left out RFGA; of DREAL the module alone, and under shuffled rewards; of dasNet's
    search a random one.
    """
    if name.startswith("rfga("):
        return ("rfga",)
    if name == "dasnet":
        return ("dasnet(search=random)",)
    module, _, method = name.partition(", ")
    if not method.startswith("dreal"):
        return ()
    shuffled = f"{module}, dreal(shuffled=True)"
    return (module,) if name == shuffled else (module, shuffled)


def localizer_of(attention: AttentionSettings, method: MethodSettings | None = None) -> Localizer:
    """The untrained network of a row, with the branches of its ``method``; CAM's has none.

    ``UserError`` where either cannot be built.
    """
    recipe = Recipe(
        data=DataSettings(input_size=SIDE, resize_size=SIDE),
        backbone=BackboneSettings(name=BACKBONE),
        attention=attention,
        method=method or MethodSettings(),
    )
    return trained_localizer(recipe, CLASS_KEYS)
