"""How other projects name the tensors of a whole localizer: their names to ours.

Names only, as their public code gives them; the modules behind them are our own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from torch import Tensor

from wsol.errors import UserError
from wsol.models.insertion.feedback_block import FeedbackBlock
from wsol.models.localizer import Localizer

State = dict[str, Tensor]

# TDAM's searchlight layers: theirs under a block's RA_block, ours under the feedback block's attention.
SEARCHLIGHT_JOINT = {
    "Ug_top_mlp.0": "top_reduce",
    "Ug_bottom_mlp.0": "bottom_reduce",
    "Ug_mlp.0": "expand",
}
SEARCHLIGHT_TOP = {"Ug_mlp.0": "top_reduce", "Ug_mlp.2": "expand"}

# wsolevaluation's heads: VGG16's (cam_conv), ResNet50's (cam), InceptionV3's (cam_conv2).
WSOLEVALUATION_HEADS = {
    "conv6": "head.before.0",
    "fc": "head.classifier",
    "SPG_A3_1b.0": "head.before.1",
    "SPG_A3_2b.0": "head.before.4",
    "SPG_A4": "head.classifier",
}


def from_tdam(state: State, localizer: Localizer) -> State:
    """TDAM's released ResNets (shantanuj/TDAM_Top_down_attention_module, timm part).

    Their blocks hold the attention as ``RA_block`` and the norm of step t as ``bn3_<t>`` beside step 0's
    ``bn3``; ``fc`` is the classifier.
    """
    top_only = any(".Ug_mlp.2." in key for key in state)
    searchlight = SEARCHLIGHT_TOP if top_only else SEARCHLIGHT_JOINT
    renamed = {}
    for key, value in state.items():
        path, rest = _in_backbone(key, localizer)
        block = localizer.get_submodule(path) if path else None
        if isinstance(block, FeedbackBlock):
            rest = _in_feedback_block(rest, block, searchlight)
        name = f"{path}.{rest}" if path else re.sub(r"^fc\b", "head.classifier", key)
        renamed[name] = _as_convolution(name, value)
    return renamed


def from_wsolevaluation(state: State, localizer: Localizer) -> State:
    """wsolevaluation's VGG16, ResNet50 and InceptionV3 of the methods cam, has, cutmix and adl.

    Layers without weights (dropped poolings, ADL) shift its numbering, so numbered layers go by rank.
    """
    ours = _by_rank(f"{link}." for link in _weighted_links(localizer))
    theirs = _by_rank(state)
    link_of_rank = {rank: link for link, rank in ours.items()}
    renamed = {}
    for key, value in state.items():
        head = next((part for part in WSOLEVALUATION_HEADS if key.startswith(f"{part}.")), None)
        if head is not None:
            name = WSOLEVALUATION_HEADS[head] + key.removeprefix(head)
        else:
            numbered = theirs.get(_numbered(key), "")
            link = link_of_rank.get(numbered, _numbered(key))
            path, rest = _in_backbone(link + key.removeprefix(_numbered(key)), localizer)
            name = f"{path}.{rest}" if path else key
        renamed[name] = _as_convolution(name, value)
    return renamed


@dataclass(frozen=True)
class Format:
    """How to rename a file's tensors, and the head of each backbone in it, where that is not ``cam``."""

    rename: Callable[[State, Localizer], State]
    heads: Mapping[str, str]

    def own_head(self, state: State, backbone: str) -> tuple[str, int]:
        """Name of the file's own head, and the number of its classes; ``UserError`` without one."""
        for classifier in ("fc.weight", "SPG_A4.weight"):
            if classifier in state:
                return self.heads.get(backbone, "cam"), len(state[classifier])
        raise UserError("head.name native: the weights file has no classifier (fc or SPG_A4)")


FORMATS: dict[str, Format] = {
    "tdam": Format(from_tdam, {}),
    "wsolevaluation": Format(from_wsolevaluation, {"vgg16": "cam_conv", "inception_v3": "cam_conv2"}),
}


def _in_backbone(key: str, localizer: Localizer) -> tuple[str, str]:
    """Our module's path and the rest of the key; an empty path where the backbone has no such link."""
    for path, link in localizer.backbone.source_names.items():
        if key.startswith(f"{link}."):
            return f"backbone.{path}", key.removeprefix(f"{link}.")
    return "", key


def _in_feedback_block(rest: str, block: FeedbackBlock, searchlight: dict[str, str]) -> str:
    module, _, tensor = rest.rpartition(".")
    if module.startswith("RA_block."):
        layer = module.removeprefix("RA_block.")
        return f"attention.{searchlight.get(layer, layer)}.{tensor}"
    later = re.fullmatch(r"(bn\d)_(\d+)", module)
    if later:
        norms = [unit.norm for unit in block.plan.units[-block.m :]]
        index = norms.index(later[1]) if later[1] in norms else later[1]
        return f"step_norms.{int(later[2]) - 1}.{index}.{tensor}"
    return f"block.{rest}"


def _weighted_links(localizer: Localizer) -> Iterable[str]:
    for path, link in localizer.backbone.source_names.items():
        if any(True for _ in localizer.backbone.get_submodule(path).parameters()):
            yield link


def _numbered(key: str) -> str:
    """``layer3.2`` of ``layer3.2.conv1.weight``, ``features.5`` of ``features.5.bias``; else nothing."""
    found = re.match(r"(?:features|layer\d)\.\d+(?=\.)", key)
    return found[0] if found else ""


def _by_rank(keys: Iterable[str]) -> dict[str, str]:
    """Numbered layers to their container and rank in it, e.g. ``features.5`` to ``features#2``."""
    layers = sorted({_numbered(key) for key in keys} - {""}, key=lambda layer: int(layer.split(".")[1]))
    ranks: dict[str, str] = {}
    count: dict[str, int] = {}
    for layer in layers:
        container = layer.split(".")[0]
        ranks[layer] = f"{container}#{count.get(container, 0)}"
        count[container] = count.get(container, 0) + 1
    return ranks


def _as_convolution(name: str, value: Tensor) -> Tensor:
    """A linear classifier's weight (K, C) as the 1x1 convolution's (K, C, 1, 1)."""
    linear = name == "head.classifier.weight" and value.dim() == 2
    return value[:, :, None, None] if linear else value
