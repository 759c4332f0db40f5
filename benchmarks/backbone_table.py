"""Which attention goes into which backbone: each pair is built, run forward and backward, or refused.

Nothing is downloaded: weights are random. A line a pair; what is refused is told in the words that the
user reads. Anything but a result or one line of a refusal is a failure, and ends with exit code 1.

    python benchmarks/backbone_table.py                       all pairs, some minutes on one core
    python benchmarks/backbone_table.py --backbones resnet50 regnetx_002 --attention none tdam
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings

import torch

from wsol.errors import UserError
from wsol.models.factory import build_localizer
from wsol.recipe import Recipe

BACKBONES = (
    "small_resnet", "resnet18", "torchvision:resnet18", "resnet50d", "resnext50_32x4d",
    "wide_resnet50_2", "seresnet50", "skresnet18", "resnest14d", "res2net50_26w_4s", "regnetx_002",
    "regnety_002", "regnet_x_400mf", "regnet_y_400mf", "convnext_atto",
    "torchvision:convnext_tiny", "efficientnet_b0",
    "tf_efficientnetv2_b0", "efficientnet_v2_s", "xception", "xception41", "mobilenetv2_035",
    "mobilenet_v2", "mobilenetv3_small_050", "mobilenet_v3_small", "mobilenetv4_conv_small",
    "densenet121", "torchvision:densenet121", "ghostnet_050", "repvgg_a0", "mnasnet_050", "mnasnet0_5",
    "shufflenet_v2_x0_5", "googlenet", "inception_v3", "torchvision:inception_v3", "squeezenet1_1",
    "vgg16", "vit_tiny_patch16_224", "vit_b_16", "swin_tiny_patch4_window7_224", "swin_t",
    "maxvit_tiny_rw_224", "maxvit_t",
)  # fmt: skip
# Stage, block, feedback and head modules; `none` is the plain CAM.
ATTENTION = ("none", "se", "cbam", "simam", "coordinate", "rfga", "bam", "tdam", "ltpa")
SIDE = 96


def main() -> int:
    """Print the table; returns 1 where a pair failed otherwise than by one line of a refusal."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--backbones", nargs="+", default=BACKBONES)
    parser.add_argument("--attention", nargs="+", default=ATTENTION)
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    counts = {"builds": 0, "refused": 0, "FAILED": 0}
    for backbone in options.backbones:
        for attention in options.attention:
            start = time.perf_counter()
            verdict, words = outcome(backbone, attention)
            counts[verdict] += 1
            print(f"{backbone:<30} {attention:<11} {verdict:<8} {words}", flush=True)
            print(f"{time.perf_counter() - start:.1f} s", file=sys.stderr, flush=True)
    print(", ".join(f"{number} {verdict}" for verdict, number in counts.items()))
    return int(counts["FAILED"] > 0)


def outcome(backbone: str, attention: str) -> tuple[str, str]:
    """``builds`` and the parameters in millions, ``refused`` and why, or ``FAILED`` and the error."""
    recipe = {
        "backbone": {"name": backbone},
        "attention": {"name": attention},
        "data": {"input_size": SIDE},
    }
    torch.manual_seed(0)
    try:
        localizer = build_localizer(Recipe.from_dict(recipe), 3)
        output = localizer(torch.randn(2, 3, SIDE, SIDE))
        output.logits.square().sum().backward()
    except UserError as error:
        lines = str(error).splitlines()
        return ("refused", lines[0]) if len(lines) == 1 else ("FAILED", f"{len(lines)} lines")
    except Exception as error:
        return "FAILED", f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
    millions = sum(parameter.numel() for parameter in localizer.parameters()) / 1e6
    return "builds", f"{millions:.2f} M, {len(localizer.placed)} places"


if __name__ == "__main__":
    sys.exit(main())
