"""Where score maps come from, one source a file: a model's own, post-hoc methods, baselines.

A source is named on the command line and in the board. What follows ``:`` or ``=`` is the source's own
argument: ``attention:tdam.top``, ``torchcam:GradCAM``, ``cam@t=1``. ``@predicted`` at the end reads the
class that the model predicts, where the true one is not known: ``cam@predicted``. A source of one's own
goes by ``package.module:Class``. A new source is one file and one line here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wsol.errors import UserError, suggest
from wsol.registry import Registry

if TYPE_CHECKING:
    from wsol.maps.contract import MapSource

MAPS: Registry[type[MapSource]] = Registry("map source", subclass_of="wsol.maps.contract:MapSource")
for _name, _place in {
    "cam": "wsol.maps.cam:ClassMap",
    "cam@t": "wsol.maps.cam_at_step:ClassMapAtStep",
    "attention": "wsol.maps.attention:AttentionMap",
    "features": "wsol.maps.features:FeatureMean",
    "torchcam": "wsol.maps.torchcam:TorchCam",
    "ts_cam": "wsol.maps.ts_cam:TokenCoupled",
    "class_token": "wsol.maps.tokens.class_token:ClassTokenAttention",
    "rollout": "wsol.maps.tokens.rollout:AttentionRollout",
    "legrad": "wsol.maps.tokens.legrad:LeGrad",
    "cut": "wsol.maps.tokens.cut:NormalizedCut",
    "two_level": "wsol.maps.two_level:TwoLevel",
    "window": "wsol.maps.window:Window",
    "center": "wsol.maps.centered:CenteredBox",
    "gaussian": "wsol.maps.centered:CenteredGaussian",
    "proposals": "wsol.maps.coverage:Coverage",
    "intensity": "wsol.maps.intensity:ImageIntensity",
    "intensity:blurred": "wsol.maps.intensity:BlurredIntensity",
    "intensity:component": "wsol.maps.intensity:BrightComponent",
    "background": "wsol.maps.constant:AllBackground",
    "foreground": "wsol.maps.constant:AllForeground",
    "files": "wsol.maps.map_folder:MapFolder",
}.items():
    MAPS.register(_name, _place)

PREDICTED = "@predicted"


def of_predicted_class(name: str) -> str:
    """The source that reads the same maps where no true class is known: ``cam`` as ``cam@predicted``."""
    return name + PREDICTED if reads_true_class(name) else name


def reads_true_class(name: str) -> bool:
    """Whether the source reads the map of an image's true class."""
    return getattr(map_source(name), "of_class", None) == "true"


def map_source(name: str) -> MapSource:
    """The source called ``name``; ``UserError`` suggests near names where there is none."""
    if name.endswith(PREDICTED):
        return map_source(name.removesuffix(PREDICTED)).of_predicted_class()
    kind, argument = _kind_and_argument(name)
    if kind == "files":
        raise UserError("map source 'files': maps of a folder are scored by `wsol evaluate --maps DIR`")
    if kind not in MAPS and not MAPS.is_foreign(kind):
        raise UserError(f"unknown map source {name!r}{suggest(name, [*MAPS, 'torchcam:GradCAM'])}")
    return MAPS.get(kind)(name, argument)


def is_foreign(name: str) -> bool:
    """Whether the source is code of somebody else: ``my_maps:Edge`` is, ``torchcam:GradCAM`` is not."""
    while name.endswith(PREDICTED):
        name = name.removesuffix(PREDICTED)
    return MAPS.is_foreign(_kind_and_argument(name)[0])


def _kind_and_argument(name: str) -> tuple[str, str]:
    """``attention:stage4`` as the entry ``attention`` and what follows it."""
    if name not in MAPS and (parts := re.fullmatch(r"(.+?)[:=](.*)", name)) and parts[1] in MAPS:
        return parts[1], parts[2]
    return name, ""
