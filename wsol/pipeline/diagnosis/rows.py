"""The rows of a diagnosis: CAM, the control of as many parameters, and the module, at one budget."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from wsol.data.layouts.digits import NAMES
from wsol.errors import UserError
from wsol.models.factory import build_localizer
from wsol.models.localizer import Localizer, TappedHead
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

SIDE = 64
BACKBONE = "small_resnet"
# Measured: at this budget CAM classifies 97 of 100 test images of each training set.
TRAINING = TrainingSettings(
    epochs=8,
    batch_size=32,
    optimizer="adamw",
    lr=0.003,
    weight_decay=0.05,
    schedule="cosine",
    precision="bf16-mixed",
    channels_last=True,
)
CAM, CONTROL = "CAM", "control"
CLASS_KEYS = [str(digit) for digit in range(len(NAMES))]


def digits_recipe(
    attention: AttentionSettings, method: MethodSettings, manifest: Path | str, how: How
) -> Recipe:
    """The recipe of a row on the training set of ``manifest``."""
    return Recipe(
        # A mirrored digit is another sign: no flips.
        data=DataSettings(
            name="digits",
            manifest=Path(manifest).as_posix(),
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


def own_map(attention: AttentionSettings) -> str:
    """The map that a row is read by: its CAM, or what the module shows where it replaces the head."""
    return "attention" if isinstance(_localizer(attention).head, TappedHead) else "cam"


@dataclass(frozen=True)
class DiagnosedRow:
    """A row: what tables call it, and what it is."""

    title: str
    attention: AttentionSettings
    method: MethodSettings


def rows_of(attention: AttentionSettings, method: MethodSettings) -> list[DiagnosedRow]:
    """CAM, the control where the module adds parameters enough for one, and the module.

    The control is `wsol.attention.plain`, which stands after the last stage wherever the module does.
    ``UserError`` where the module cannot be built.
    """
    names = (attention.label, "none"), (method.name, "cam")
    title = " ".join(name for name, usual in names if name != usual)
    rows = [DiagnosedRow(CAM, AttentionSettings(), MethodSettings())]
    added = _parameters(attention) - _parameters(AttentionSettings())
    control = AttentionSettings(name="plain", options={"parameters": added})
    if attention.name not in ("none", "plain") and added > 0 and _can_be_built(control):
        rows.append(DiagnosedRow(CONTROL, control, MethodSettings()))
    if title:
        rows.append(DiagnosedRow(title, attention, method))
    return rows


def _localizer(attention: AttentionSettings) -> Localizer:
    recipe = Recipe(
        data=DataSettings(input_size=SIDE, resize_size=SIDE),
        backbone=BackboneSettings(name=BACKBONE),
        attention=attention,
    )
    return build_localizer(recipe, len(CLASS_KEYS), CLASS_KEYS, load_weights=False)


def _parameters(attention: AttentionSettings) -> int:
    return sum(parameter.numel() for parameter in _localizer(attention).parameters())


def _can_be_built(attention: AttentionSettings) -> bool:
    """Whether the control can be so small: it has a width of one channel at least."""
    try:
        _localizer(attention)
    except UserError:
        return False
    return True
