"""A small ViT behind a convolutional stem, for 64x64 images and training from scratch."""

from __future__ import annotations

from functools import partial

from timm.layers.hybrid_embed import HybridEmbed
from timm.models.vision_transformer import VisionTransformer
from torch import nn


class SmallViT(VisionTransformer):
    """Three convolutions, each halved by an average pooling, then blocks over an 8x8 grid of tokens.

    Xiao et al., "Early Convolutions Help Transformers See Better", NeurIPS 2021, arXiv 2106.14881: a few
    3x3 convolutions in place of large patches, and one block less. Paper: the convolutions have stride
    2. Here they have none and a pooling follows, which keeps the grid centred on the image (see
    `wsol.models.networks.small_resnet`). The blocks are timm's; the sizes are our own.

    Args:
        embed_dim: channels of the tokens; the stem has an eighth, a quarter and a half of them, but 16
            at least.
        depth, num_heads, mlp_ratio, drop_path_rate: of the blocks.
        img_size: side of the images in pixels, a multiple of 8.
        class_token: whether there is one, for methods and maps that read it; without it the patch tokens
            are averaged.
    """

    def __init__(
        self,
        embed_dim: int = 96,
        depth: int = 6,
        num_heads: int = 3,
        mlp_ratio: float = 4.0,
        drop_path_rate: float = 0.0,
        img_size: int = 64,
        *,
        class_token: bool = False,
    ) -> None:
        widths = [max(embed_dim // share, 16) for share in (8, 4, 2)]
        stem = nn.Sequential()
        for before, width in zip([3, *widths], widths, strict=False):
            stem += nn.Sequential(
                nn.Conv2d(before, width, 3, padding=1, bias=False),
                nn.BatchNorm2d(width),
                nn.ReLU(inplace=True),
                nn.AvgPool2d(2),
            )
        for module in stem.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        super().__init__(
            img_size=img_size,
            patch_size=1,  # of the stem's features: its last convolution is the paper's 1x1
            num_classes=0,
            global_pool="token" if class_token else "avg",
            fc_norm=False,
            class_token=class_token,
            embed_dim=embed_dim,
            depth=depth,
            num_heads=num_heads,
            mlp_ratio=mlp_ratio,
            drop_path_rate=drop_path_rate,
            embed_layer=partial(HybridEmbed, backbone=stem),
        )
