"""Two-level attention (Xiao et al., CVPR 2015): proposals that show the object, scored by its parts.

Three attentions of the paper, as maps of one trained network:

- bottom-up: boxes that the image's own regions propose (`wsol.maps.proposals`);
- object level: of these the ones that show the class, by what the network says of each alone;
- part level: the filters of the last convolution fall into groups by spectral clustering, each a
  detector of a part; a proposal is scored by how the detectors respond to it.

The paper's abstract says so much; the rest is our reading, since no code was found: crops are seen at
half the image's side; half of the best proposal's probability is enough to be kept; three parts; a
detector's response is the sum of its filters' largest activations; a map is by how much the scores of
the proposals over each place exceed their mean, summed.

In the paper the object level knows the parent class from a 1000-way network: that is
``evaluation.classes``, with every bird of ImageNet standing for each class. It also trains its network
on the proposals that were kept; here the network is as it was trained.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.cluster import SpectralClustering
from torch import Tensor, nn

from wsol.data.manifest.manifest import ManifestSplit
from wsol.errors import UserError
from wsol.maps.contract import Columns, ModelMaps
from wsol.maps.other_sides import refuse_unread_side
from wsol.maps.proposals.painting import above_average
from wsol.maps.proposals.proposal_files import read_proposals
from wsol.models.localizer import Localizer, LocalizerOutput

ENOUGH = 0.5  # of the best proposal's probability
PARTS = 3
CROPS = 64  # at a time
# Convolutions that do not make the features: those that only fit a block's input to its output, by what
# residual networks call them, and those of gates, by what timm does.
SHORTCUTS = ("downsample", "shortcut")
GATES = ("se", "attn", "attn_last")


class TwoLevel(ModelMaps):
    """Proposals that show the true class, scored by its parts; two_level:object by the class alone."""

    title = "two-level"
    of_class = "true"
    takes_argument = True
    own_pass = True  # so that its cost is told apart
    beside = ("proposals",)
    needs_manifest = True
    unmodified = "it reads proposals of the images as they are"

    def __init__(self, name: str, argument: str = "") -> None:
        super().__init__(name, argument)
        if argument not in ("", "object"):
            raise UserError(f"map source {name!r}: there are two_level and two_level:object")
        self._boxes: dict[str, np.ndarray] | None = None

    def of_images(self, images: ManifestSplit) -> None:
        """Read the proposals of the images; ``UserError`` where `wsol propose` has made none."""
        self._boxes = read_proposals(images)

    @contextmanager
    def ready(self, localizer: Localizer) -> Iterator[None]:
        """Find the detectors of parts in the filters of ``localizer``."""
        if self._boxes is None:
            raise UserError(
                f"{self.name} reads the proposals of a manifest's images (wsol propose): evaluate one"
            )
        refuse_unread_side(localizer, localizer.input_size // 2, self.name, "at which boxes are seen")
        self._localizer = localizer
        self._parts = None if self.argument else parts_of(last_filters(localizer))
        yield

    def see(self, images: Tensor, image_ids: Sequence[str]) -> None:
        """Keep the images that the next output is of: parts of them are looked at again."""
        self._images, self._ids = images, image_ids

    def read(self, output: LocalizerOutput, columns: Columns) -> Tensor:
        """Maps (N, h, w): how much the scores over each place exceed their mean, summed."""
        assert self._boxes is not None, "ready has refused it"
        maps: dict[str, np.ndarray] = {}  # a batch may be padded with copies
        for image, image_id, own in zip(self._images, self._ids, columns, strict=True):
            if image_id not in maps:
                boxes = self._boxes[image_id]
                maps[image_id] = above_average(boxes, self._scores(image, boxes, own))
        return torch.from_numpy(np.stack([maps[image_id] for image_id in self._ids])).float()

    def _scores(self, image: Tensor, boxes: np.ndarray, columns: Sequence[int]) -> np.ndarray:
        """The scores (n,) of an image's proposals, 0 of those that do not show its class."""
        if not len(boxes):
            return np.zeros(0)
        shown, responses = [], []
        for some in torch.from_numpy(boxes).to(image).split(CROPS):
            output = self._localizer(crops(image, some))
            shown.append(output.logits.float().softmax(dim=1)[:, list(columns)].sum(dim=1))
            responses.append(output.features.float().amax(dim=(2, 3)))
        probability = torch.cat(shown).cpu().numpy()
        scores = probability
        if self._parts is not None:
            scores = part_scores(torch.cat(responses).cpu().numpy(), self._parts)
        return np.where(probability >= ENOUGH * probability.max(), scores, 0)


def crops(image: Tensor, boxes: Tensor) -> Tensor:
    """What boxes (n, 4), in shares of its sides, show of an image (3, H, W): (n, 3, H // 2, W // 2).

    At half its side a box of half the image shows the object as large as the image does.
    """
    low, high = boxes[:, :2], boxes[:, 2:]
    theta = boxes.new_zeros(len(boxes), 2, 3)
    theta[:, [0, 1], [0, 1]] = high - low
    theta[:, :, 2] = low + high - 1
    half = [len(boxes), len(image), image.shape[1] // 2, image.shape[2] // 2]
    grid = F.affine_grid(theta, half, align_corners=False)
    several = image[None].expand(len(boxes), -1, -1, -1)
    return F.grid_sample(several, grid, padding_mode="border", align_corners=False)


def last_filters(localizer: Localizer) -> np.ndarray:
    """The filters (C, d) of the convolution that makes the last features; ``UserError`` without one."""
    backbone = localizer.backbone
    channels = backbone.stage_channels[backbone.last_maps]
    attention = {id(own) for part in localizer.attention_parts for own in part.modules()}
    convolutions = [
        module
        for name, module in backbone.stages[backbone.last_maps].named_modules()
        if isinstance(module, nn.Conv2d)
        and module.out_channels == channels
        and module.groups == 1
        and id(module) not in attention
        and not {*SHORTCUTS, *GATES}.intersection(name.split("."))
    ]
    if not convolutions:
        raise UserError(
            f"two_level: no single convolution makes the {channels} last features of this network, so "
            "its filters fall into no parts: take --maps two_level:object"
        )
    return convolutions[-1].weight.detach().float().flatten(1).cpu().numpy()


def parts_of(filters: np.ndarray, parts: int = PARTS) -> np.ndarray:
    """The part (C,), from 0 on, of each filter (C, d): spectral clusters by the cosine of weights."""
    unit = filters / np.maximum(np.linalg.norm(filters, axis=1, keepdims=True), 1e-12)
    alike = (1 + unit @ unit.T) / 2  # affinities may not be negative
    clustering = SpectralClustering(parts, affinity="precomputed", random_state=0)
    return clustering.fit_predict(alike.astype(np.float64))


def part_scores(responses: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """Scores (n,) in [0, 1] of proposals by responses (n, C) of filters, ``parts`` (C,) their groups.

    Each detector's responses are spread over [0, 1] within the image, so that all count alike.
    """
    detectors = np.stack([responses[:, parts == part].sum(axis=1) for part in np.unique(parts)], axis=1)
    low, high = detectors.min(axis=0), detectors.max(axis=0)
    spread = (detectors - low) / np.maximum(high - low, 1e-12)
    return spread.mean(axis=1)
