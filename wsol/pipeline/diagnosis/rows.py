"""The rows of a diagnosis: CAM, the control of as many parameters, and the module, at one budget."""

from __future__ import annotations

from dataclasses import dataclass

from wsol.errors import UserError
from wsol.pipeline.digits_recipes import localizer_of
from wsol.recipe import AttentionSettings, MethodSettings

CAM, CONTROL = "CAM", "control"


@dataclass(frozen=True)
class DiagnosedRow:
    """A row: what tables call it, and what it is."""

    title: str
    attention: AttentionSettings
    method: MethodSettings


def rows_of(attention: AttentionSettings, method: MethodSettings) -> list[DiagnosedRow]:
    """CAM, the control where the module adds parameters enough for one, and the module.

    The control is `wsol.attention.plain`, which stands after the last stage wherever the module does.
    ``UserError`` where the module or the method cannot be built.
    """
    localizer_of(attention, method)  # for its errors, before anything is drawn or trained
    names = (attention.label, "none"), (method.label, "cam")
    title = " ".join(name for name, usual in names if name != usual)
    rows = [DiagnosedRow(CAM, AttentionSettings(), MethodSettings())]
    added = _parameters(attention) - _parameters(AttentionSettings())
    control = AttentionSettings(name="plain", options={"parameters": added})
    if attention.name not in ("none", "plain") and added > 0 and _can_be_built(control):
        rows.append(DiagnosedRow(CONTROL, control, MethodSettings()))
    if title:
        rows.append(DiagnosedRow(title, attention, method))
    return rows


def _parameters(attention: AttentionSettings) -> int:
    return sum(parameter.numel() for parameter in localizer_of(attention).parameters())


def _can_be_built(attention: AttentionSettings) -> bool:
    """Whether the control can be so small: it has a width of one channel at least."""
    try:
        localizer_of(attention)
    except UserError:
        return False
    return True
