"""Networks of tokens in several stages whose forward pass is no chain, cut where the tokens are pooled.

Each stage does what the library's forward pass does between two of its stages, and takes and gives maps.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from wsol.models.networks.tokens.layouts import TOKENS, from_maps, to_maps
from wsol.models.networks.tokens.stage import Aside, TokenStage, joined, split
from wsol.models.networks.tokens.whole_network import part_of


class PooledTokens(TokenStage):
    """One stage of PiT: a transformer, which also pools the class token; the last norms that alone."""

    def __init__(self, network: Any, number: int) -> None:
        super().__init__()
        begin = ("patch_embed", "pos_embed", "pos_drop", "cls_token")
        self.begin: Any = part_of(network, begin) if number == 0 else None
        self.block: Any = network.transformers[number]
        self.norm = network.norm if number == len(network.transformers) - 1 else nn.Identity()

    def forward(self, x: Tensor, aside: Aside | None = None) -> Tensor:
        """Maps of the transformer."""
        aside = Aside() if aside is None else aside
        if self.begin is not None:
            x = self.begin.pos_drop(self.begin.patch_embed(x) + self.begin.pos_embed)
            aside.prefix = self.begin.cls_token.expand(len(x), -1, -1)
        x, prefix = self.block((x, aside.prefix))
        aside.prefix = self.norm(prefix)
        return x

    def parameters_without_gradient(self) -> set[str]:
        """The last norm's: heads that read maps alone never see what it makes."""
        return {f"norm.{name}" for name, _ in self.norm.named_parameters()}


class PositionedBlocks(TokenStage):
    """One stage of Twins: patches, blocks, and a convolution of positions after the first block."""

    def __init__(self, network: Any, number: int) -> None:
        super().__init__()
        self.patch_embed, self.drop = network.patch_embeds[number], network.pos_drops[number]
        self.blocks, self.position = network.blocks[number], network.pos_block[number]
        self.norm = network.norm if number == len(network.blocks) - 1 else nn.Identity()

    def forward(self, x: Tensor, aside: Aside | None = None) -> Tensor:
        """Maps of the blocks."""
        x, size = self.patch_embed(x)
        x = self.drop(x)
        for number, block in enumerate(self.blocks):
            x = block(x, size)
            if number == 0:
                x = self.position(x, size)
        return to_maps(self.norm(x), TOKENS, (int(size[0]), int(size[1])))


class MultiscaleTokens(TokenStage):
    """One stage of MViTv2, whose blocks pool the patch tokens beside a class token or none."""

    def __init__(self, network: Any, number: int) -> None:
        super().__init__()
        begin = ("patch_embed", "pos_embed", "cls_token")
        self.begin: Any = part_of(network, begin) if number == 0 else None
        self.stage: Any = network.stages[number]
        self.norm = network.norm if number == len(network.stages) - 1 else nn.Identity()

    def forward(self, x: Tensor, aside: Aside | None = None) -> Tensor:
        """Maps of the stage."""
        aside = Aside() if aside is None else aside
        if self.begin is not None:
            x, size = self.begin.patch_embed(x)
            if self.begin.cls_token is not None:
                aside.prefix = self.begin.cls_token.expand(len(x), -1, -1)
            tokens = joined(aside.prefix, x)
            tokens = tokens if self.begin.pos_embed is None else tokens + self.begin.pos_embed
        else:
            size = x.shape[2:]
            tokens = joined(aside.prefix, from_maps(x, TOKENS))
        tokens, size = self.stage(tokens, (int(size[0]), int(size[1])))
        count = 0 if aside.prefix is None else aside.prefix.shape[1]
        aside.prefix, x = split(self.norm(tokens), count)
        return to_maps(x, TOKENS, (int(size[0]), int(size[1])))


class VisionFormerStage(TokenStage):
    """One stage of Visformer: patches with their positions, and blocks over maps."""

    def __init__(self, network: Any, number: int) -> None:
        super().__init__()
        names = [f"patch_embed{number + 1}", f"pos_embed{number + 1}", "pos_drop", f"stage{number + 1}"]
        self.stem = (network.stem if number == 0 else None) or nn.Identity()
        self.part: Any = part_of(network, names)
        self.number = number + 1
        self.norm = network.norm if self.number == VISFORMER_STAGES else nn.Identity()

    def forward(self, x: Tensor, aside: Aside | None = None) -> Tensor:
        """Maps of the blocks."""
        embed, position, stage = (
            getattr(self.part, f"{kind}{self.number}") for kind in ("patch_embed", "pos_embed", "stage")
        )
        x = self.stem(x)
        x = x if embed is None else embed(x)
        x = x if position is None else self.part.pos_drop(x + position)
        return self.norm(stage(x))


VISFORMER_STAGES = 3


def _visformer(network: Any) -> list[TokenStage]:
    return [VisionFormerStage(network, number) for number in range(VISFORMER_STAGES)]


CUTS: dict[str, Callable[[Any], list[TokenStage]]] = {
    "timm.models.pit:PoolingVisionTransformer": lambda network: [
        PooledTokens(network, number) for number in range(len(network.transformers))
    ],
    "timm.models.twins:Twins": lambda network: [
        PositionedBlocks(network, number) for number in range(len(network.blocks))
    ],
    "timm.models.mvitv2:MultiScaleVit": lambda network: [
        MultiscaleTokens(network, number) for number in range(len(network.stages))
    ],
    "timm.models.visformer:Visformer": _visformer,
}


def cut(network: nn.Module) -> list[TokenStage]:
    """The network's stages, shallow first; none where it is not one that is known here."""
    kind = type(network)
    stages = CUTS.get(f"{kind.__module__}:{kind.__name__}")
    return stages(network) if stages else []


def sources(stages: dict[str, TokenStage], network: nn.Module) -> dict[str, str]:
    """Modules of the stages, by their paths in a backbone, to their names in the network."""
    names = {id(module): name for name, module in network.named_modules()}
    found: dict[str, str] = {}
    for stage, module in stages.items():
        for path, part in module.named_modules(prefix=f"stages.{stage}"):
            if id(part) in names and not any(path.startswith(f"{other}.") for other in found):
                found[path] = names[id(part)]
    return found
