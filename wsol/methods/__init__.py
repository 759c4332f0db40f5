"""Training methods, one a file: batch in, loss out.

A new method is one file with a subclass of `wsol.methods.contract.TrainingMethod` and one line here; a
method outside this repository (``--method.name package.module:Name``) needs no line at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsol.registry import Registry

if TYPE_CHECKING:
    from wsol.methods.contract import TrainingMethod

METHODS: Registry[type[TrainingMethod]] = Registry(
    "method", subclass_of="wsol.methods.contract:TrainingMethod"
)
METHODS.register("acol", "wsol.methods.acol:ACoL")
METHODS.register("boxes", "wsol.methods.boxes:FewShotBoxes")
METHODS.register("cam", "wsol.methods.cam:CAM")
METHODS.register("cutmix", "wsol.methods.cutmix:CutMix")
METHODS.register("dasnet", "wsol.methods.dasnet:DasNet")
METHODS.register("dvan", "wsol.methods.dvan:Diversified")
METHODS.register("has", "wsol.methods.has:HideAndSeek")
METHODS.register("spg", "wsol.methods.spg:SPG")
METHODS.register("stacked", "wsol.methods.stacked:Stacked")
METHODS.register("trilite", "wsol.methods.trilite:TriLite")
METHODS.register("ts_cam", "wsol.methods.ts_cam:TSCAM")
METHODS.register("dreal", "wsol.methods.dreal:DREAL")
