"""LTPA: the classifier sees local features only, weighed by how well they agree with the whole image.

Jetley, Lord, Lee, Torr, "Learn to Pay Attention", ICLR 2018, arXiv 1804.02391. Author code: Torch7,
saumya-jetley/cd_ICLR18_LearnToPayAttention. Its own networks are `wsol.models.networks.ltpa_networks`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from wsol.attention.contract import GLOBAL, HeadOutput
from wsol.attention.decisions import decide
from wsol.attention.ltpa_classifier import ConcatClassifier, IndependentClassifier, split_logits
from wsol.errors import UserError, suggest

CHOICES = {
    "compatibility": ("dp", "pc"),
    "fusion": ("concat", "indep"),
    "normalisation": ("softmax", "sigmoid"),
    "project": ("down", "up"),
}
# Author code, VGG; before the classifier of its ResNet it is 0.3, which ours does not offer.
DROPOUT = 0.5


class TapOutput(NamedTuple):
    """What one tap gives.

    ``descriptor`` g_a (N, d); ``score`` the compatibilities c before and ``attention`` a after
    normalising, (N, h, w); ``parts`` (N, d, h, w): what each position adds to the descriptor.
    """

    descriptor: Tensor
    score: Tensor
    attention: Tensor
    parts: Tensor


class CompatibilityBlock(nn.Module):
    """Weighs the local vectors l_i of one tap by their compatibility c_i with a global vector g.

    ``"pc"``: c_i = u . (l_i + g); ``"dp"``: c_i = l_i . g. Softmax over positions, g_a = sum_i a_i l_i;
    or sigmoid, g_a = mean_i a_i l_i.

    Args:
        local_channels, global_channels: widths of l and g; where they differ, a 1x1 convolution without
            bias projects l up to g's, and the descriptor has g's width.
        compatibility, normalisation: as above.
    """

    def __init__(
        self, local_channels: int, global_channels: int, compatibility: str, normalisation: str
    ) -> None:
        super().__init__()
        self.normalisation = normalisation
        self.projector = (
            nn.Conv2d(local_channels, global_channels, 1, bias=False)
            if local_channels != global_channels
            else nn.Identity()
        )
        # Author code: this 1x1 convolution has a bias. Paper: c_i = <u, l_i + g> without; the softmax
        # does not see it.
        self.compatibility = (
            nn.Conv2d(global_channels, 1, 1, bias=False) if compatibility == "pc" else None
        )

    def forward(self, local: Tensor, global_: Tensor) -> TapOutput:
        """``local`` (N, C, h, w) and ``global_`` (N, d, 1, 1) -> the tap's descriptor and maps."""
        local = self.projector(local)
        if self.compatibility is None:
            score = (local * global_).sum(dim=1)
        else:
            score = self.compatibility(local + global_).squeeze(1)
        if self.normalisation == "softmax":
            attention = decide(self, score.flatten(1).softmax(dim=1).view_as(score), local)
            weight = attention
        else:
            attention = decide(self, torch.sigmoid(score), local)
            weight = attention / (score.shape[1] * score.shape[2])
        parts = weight.unsqueeze(1) * local
        return TapOutput(parts.sum(dim=(2, 3)), score, attention, parts)


class LTPA(nn.Module):
    """LTPA (Jetley et al., ICLR 2018, arXiv 1804.02391): attention at several stages, as the head.

    The classifier sees the stages' descriptors only.

    The vector of the whole image g is what comes under ``"global"``, else the average of the deepest
    stage (reading: the paper says how its own networks make g, not how others would). The "att1" to
    "att3" of the paper say how many stages ``at`` names.

    Maps: ``<stage>.score`` (compatibilities before normalising) and ``<stage>.softmax`` or
    ``.sigmoid`` (after). ``default_map`` is the deepest stage's score: softmaxed maps are spikes.

    Class maps (N, K, h, w), in evaluation mode (no loss reads them, and they cost several times the head
    itself) and at the size of the largest tap, average to the logits exactly, for each
    logit is a sum over taps and positions: ``b_c + sum_i a_i w_c . l_i``. A constant of the logits (the
    bias; under ``indep`` the log-softmax's normaliser too) is spread evenly. With ``author_head`` that
    split is false, and there are none.

    Args:
        stage_channels: tapped stages, shallow first, to channels, and maybe ``"global"``.
        num_classes: K.
        compatibility: ``"dp"`` or ``"pc"``. The default is dp, since under pc with softmax g cancels out
            (u . g is the same at all positions) and whatever lies above the last tap stays untrained.
        fusion: ``"concat"``: one linear layer over all descriptors; ``"indep"``: one a tap, their
            log-softmax added.
        normalisation: ``"softmax"`` or ``"sigmoid"``.
        project: where widths differ, map g ``"down"`` to the stage's or the stage ``"up"`` to g's.
        author_head: batch norm, ReLU and dropout before every linear layer, as in the author code.

    Raises:
        UserError: an option's value that there is not, or no stage to tap.
    """

    insertion = "head"
    at = ("-2", "-1")

    def __init__(
        self,
        stage_channels: Mapping[str, int],
        num_classes: int,
        compatibility: str = "dp",
        fusion: str = "concat",
        normalisation: str = "softmax",
        project: str = "down",
        author_head: bool = False,
    ) -> None:
        super().__init__()
        _check(compatibility=compatibility, fusion=fusion, normalisation=normalisation, project=project)
        self.taps = [stage for stage in stage_channels if stage != GLOBAL]
        if not self.taps:
            raise UserError("LTPA: name at least one stage to tap in attention.at")
        self.normalisation = normalisation
        self.author_head = author_head
        self.ignores_global = compatibility == "pc" and normalisation == "softmax"
        self.default_map = f"{self.taps[-1]}.score"
        width = stage_channels.get(GLOBAL, stage_channels[self.taps[-1]])
        widths = {tap: stage_channels[tap] if project == "down" else width for tap in self.taps}
        self.global_maps = nn.ModuleDict(
            {tap: self._global_map(width, stage_channels[tap], project) for tap in self.taps}
        )
        self.blocks = nn.ModuleDict(
            {
                tap: CompatibilityBlock(stage_channels[tap], widths[tap], compatibility, normalisation)
                for tap in self.taps
            }
        )
        self.before_classifier = nn.ModuleDict({tap: self._rectify(widths[tap]) for tap in self.taps})
        classifier = ConcatClassifier if fusion == "concat" else IndependentClassifier
        self.classifier = classifier(list(widths.values()), num_classes)
        self._initialise()

    def _global_map(self, width: int, stage_width: int, project: str) -> nn.Module:
        """What brings g to the width of the stage: nothing where they agree (or the stage goes up)."""
        if width == stage_width:
            return nn.Identity()
        down = nn.Linear(width, stage_width) if project == "down" else nn.Identity()
        # Author code: BN, ReLU and dropout before g is mapped; paper: a linear mapping.
        return nn.Sequential(self._rectify(width), down)

    def _rectify(self, width: int) -> nn.Module:
        # Author code: every descriptor and every mapped g passes BN, ReLU and dropout; paper: none does.
        if not self.author_head:
            return nn.Identity()
        return nn.Sequential(nn.BatchNorm1d(width), nn.ReLU(), nn.Dropout(DROPOUT))

    def _initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                # Author code: N(0, sqrt(2 / (k k n_out))), here with k = 1.
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, stages: Mapping[str, Tensor]) -> HeadOutput:
        """Features {stage: (N, C, h, w)} -> logits (N, K), class maps (N, K, h, w) or None, maps."""
        outputs = self._taps(stages)
        descriptors = self._descriptors(outputs)
        maps: dict[str, Tensor] = {}
        for tap, output in outputs.items():
            maps[f"{tap}.score"] = output.score
            maps[f"{tap}.{self.normalisation}"] = output.attention
        logits, linearity = self.classifier(descriptors)
        if self.author_head or self.training:
            return HeadOutput(logits, None, maps)
        return HeadOutput(logits, split_logits([out.parts for out in outputs.values()], linearity), maps)

    def attended(self, stages: Mapping[str, Tensor]) -> Tensor:
        """What the classifier gets: the descriptors side by side, shallow first, (N, D)."""
        return torch.cat(self._descriptors(self._taps(stages)), dim=1)

    def _taps(self, stages: Mapping[str, Tensor]) -> dict[str, TapOutput]:
        vector = stages.get(GLOBAL, stages[self.taps[-1]]).mean(dim=(2, 3))
        return {
            tap: block(stages[tap], self.global_maps[tap](vector)[:, :, None, None])
            for tap, block in self.blocks.items()
        }

    def _descriptors(self, outputs: Mapping[str, TapOutput]) -> list[Tensor]:
        return [self.before_classifier[tap](output.descriptor) for tap, output in outputs.items()]

    def parameters_without_gradient(self) -> set[str]:
        """What only makes g, where pc with softmax cancels it: its mappings."""
        if not self.ignores_global:
            return set()
        return {name for name, _ in self.global_maps.named_parameters("global_maps")}


def _check(**options: str) -> None:
    for option, value in options.items():
        if value not in CHOICES[option]:
            raise UserError(f"LTPA: unknown {option} {value!r}{suggest(str(value), CHOICES[option])}")
