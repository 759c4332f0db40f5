"""Where score maps come from, one source a file: a model's own, post-hoc methods, baselines.

A source is named on the command line and in the board. What follows ``:`` or ``=`` is the source's own
argument: ``attention:tdam.top``, ``torchcam:GradCAM``, ``cam@t=1``. ``@predicted`` at the end reads the
class that the model predicts, where the true one is not known: ``cam@predicted``. A source of one's own
goes by ``package.module:Class``. A new source is one file and one line here.

What follows ``+`` modifies a source of a model's maps, and modifiers follow one another:
``cam+flip``, ``torchcam:GradCAM+flip+scales:0.75,1``. A new modifier is one file and one line, too.
"""

from __future__ import annotations

import re
from collections.abc import Container
from typing import TYPE_CHECKING

from wsol.errors import UserError, suggest
from wsol.registry import Registry

if TYPE_CHECKING:
    from wsol.maps.contract import MapSource
    from wsol.maps.modifiers.modifier import MapModifier

MAPS: Registry[type[MapSource]] = Registry("map source", subclass_of="wsol.maps.contract:MapSource")
for _name, _place in {
    "cam": "wsol.maps.cam:ClassMap",
    "cam@t": "wsol.maps.cam_at_step:ClassMapAtStep",
    "attention": "wsol.maps.attention:AttentionMap",
    "features": "wsol.maps.features:FeatureMean",
    "torchcam": "wsol.maps.torchcam.one_backward:TorchCam",
    "torchcam:CAM": "wsol.maps.torchcam.class_weights:ClassWeights",
    "torchcam:RefineCAM": "wsol.maps.torchcam.refined:RefineCam",
    "torchcam:ScoreCAM": "wsol.maps.torchcam.own_passes:ScoreCam",
    "torchcam:SmoothGradCAMpp": "wsol.maps.torchcam.own_passes:SmoothGradCampp",
    "saliency": "wsol.maps.attribution.saliency:Saliency",
    "smoothgrad": "wsol.maps.attribution.smoothgrad:SmoothGrad",
    "integrated_gradients": "wsol.maps.attribution.integrated_gradients:IntegratedGradients",
    "occlusion": "wsol.maps.attribution.occlusion:Occlusion",
    "random": "wsol.maps.random_noise:RandomNoise",
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

MODIFIERS: Registry[type[MapModifier]] = Registry(
    "map modifier", subclass_of="wsol.maps.modifiers.modifier:MapModifier"
)
MODIFIERS.register("flip", "wsol.maps.modifiers.flip:Flip")
MODIFIERS.register("scales", "wsol.maps.modifiers.scales:Scales")

PREDICTED = "@predicted"
MODIFIED = "+"


def listed(text: str) -> list[str]:
    """The sources that a line names by commas; a number belongs to the scales before it.

    >>> listed("cam,cam+scales:0.75,1,features")
    ['cam', 'cam+scales:0.75,1', 'features']
    """
    return re.split(r",(?!\s*[\d.])", text)


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
    plain, *modifiers = name.split(MODIFIED)
    source = map_source(plain) if plain.endswith(PREDICTED) else _plain_source(plain)
    for modifier in modifiers:
        if modifier.endswith(PREDICTED):
            source, modifier = source.of_predicted_class(), modifier.removesuffix(PREDICTED)
        kind, argument = _kind_and_argument(modifier, MODIFIERS)
        source = MODIFIERS.get(kind)(source, modifier, argument)
    return source


def _plain_source(name: str) -> MapSource:
    """The source called ``name``, which has no modifiers."""
    kind, argument = _kind_and_argument(name, MAPS)
    if kind == "files":
        raise UserError("map source 'files': maps of a folder are scored by `wsol evaluate --maps DIR`")
    if kind not in MAPS and not MAPS.is_foreign(kind):
        near = suggest(name, [*MAPS, "torchcam:GradCAM"])
        if re.match(r"[\d.]", name):  # what a recipe's list makes of scales
            near = ': in a list scales need quotes, as in [cam, "cam+scales:0.75,1"]'
        raise UserError(f"unknown map source {name!r}{near}")
    return MAPS.get(kind)(name, argument)


def is_foreign(name: str) -> bool:
    """Whether the source or a modifier is code of somebody else: ``my_maps:Edge+flip`` is,
    ``torchcam:GradCAM`` is not.
    """
    plain, *modifiers = name.replace(PREDICTED, "").split(MODIFIED)
    kinds = [_kind_and_argument(modifier, MODIFIERS)[0] for modifier in modifiers]
    return MAPS.is_foreign(_kind_and_argument(plain, MAPS)[0]) or any(map(MODIFIERS.is_foreign, kinds))


def _kind_and_argument(name: str, registered: Container[str]) -> tuple[str, str]:
    """``attention:stage4`` as the entry ``attention`` and what follows it."""
    if (
        name not in registered
        and (parts := re.fullmatch(r"(.+?)[:=](.*)", name))
        and parts[1] in registered
    ):
        return parts[1], parts[2]
    return name, ""
