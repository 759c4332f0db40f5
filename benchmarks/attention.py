"""Every registered attention module in ResNet50: what it adds to parameters, FLOPs, time and memory.

    python benchmarks/attention.py [--backbone resnet50] [--batch 8] [--input-size 224] [--device cpu]

Default places and options of each module, 1000 classes, training mode, the best of ``--repeats`` steps;
bare and attended network take turns. Times and memory are multiples of the bare network's; on a CPU
they are the process's own time, so that a busy machine matters less. Rows are Markdown, as they come.
"""

from __future__ import annotations

import argparse
import dataclasses
import gc
import time

import torch

from wsol.attention import ATTENTION
from wsol.check.added_cost import Cost, measure
from wsol.errors import UserError
from wsol.models.factory import build_localizer
from wsol.recipe import AttentionSettings, BackboneSettings, DataSettings, Recipe

COLUMNS = (
    "attention",
    "stages",
    "params M",
    "added M",
    "GFLOPs",
    "added %",
    "forward",
    "backward",
    "memory",
)


def main() -> None:
    """Measure and print the table row by row."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", default=ATTENTION.names(), help="default: all")
    parser.add_argument("--backbone", default="resnet50")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--input-size", type=int, default=224)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    print(f"{arguments.backbone}, {arguments.batch} images of {arguments.input_size} pixels\n")
    print("| " + " | ".join(COLUMNS) + " |")
    print("|---|---|" + "---:|" * (len(COLUMNS) - 2))
    for name in arguments.names:
        print("| " + " | ".join(row(name, arguments)) + " |", flush=True)


def row(name: str, arguments: argparse.Namespace) -> list[str]:
    """The cells of one module, the last three as multiples of the bare network's; its name and the
    reason where it does not go into the backbone.
    """
    try:
        at, bare, attended = costs(name, arguments)
    except UserError as error:
        return [name, str(error)]
    return [
        name,
        at,
        f"{attended.params / 1e6:.2f}",
        f"{(attended.params - bare.params) / 1e6:.3f}",
        f"{attended.gflops:.2f}",
        f"{100 * (attended.gflops / bare.gflops - 1):.2f}",
        f"{attended.forward_ms / bare.forward_ms:.2f}",
        f"{attended.backward_ms / bare.backward_ms:.2f}",
        f"{attended.saved_mb / bare.saved_mb:.2f}",
    ]


def costs(name: str, arguments: argparse.Namespace) -> tuple[str, Cost, Cost]:
    """Where the module went, and the cost of the bare network and of the one with it."""
    recipe = Recipe(
        data=DataSettings(input_size=arguments.input_size),
        backbone=BackboneSettings(arguments.backbone),
        attention=AttentionSettings(name),
    )
    gc.collect()
    pair = [
        build_localizer(one, 1000).to(arguments.device)
        for one in (dataclasses.replace(recipe, attention=AttentionSettings()), recipe)
    ]
    places = sorted(
        {place.partition(".")[0] for place in pair[1].placed} or getattr(pair[1].head, "taps", ())
    )
    clock = time.process_time if arguments.device == "cpu" else time.perf_counter
    bare, attended = measure(pair, arguments.input_size, arguments.batch, arguments.repeats, clock)
    return " ".join(place.removeprefix("stage") for place in places), bare, attended


if __name__ == "__main__":
    torch.manual_seed(0)
    main()
