"""Every registered attention module in ResNet50: what it adds to parameters, FLOPs, time and memory.

    python benchmarks/attention.py [--backbone resnet50] [--batch 8] [--input-size 224] [--device cpu]

Default places and options of each module, 1000 classes, training mode, the best of ``--repeats`` steps;
bare and attended network take turns. Times and memory are multiples of the bare network's; on a CPU
they are the process's own time, so that a busy machine matters less. Rows are Markdown, as they come;
``--csv FILE`` writes those columns that docs/results.md shows.
"""

from __future__ import annotations

import argparse
import dataclasses
import gc
import os
import shlex
import sys
import time
from pathlib import Path

import torch

from wsol.attention import ATTENTION
from wsol.check.added_cost import Cost, measure
from wsol.errors import UserError
from wsol.files.csv_table import csv_text
from wsol.files.writing.atomic import write_text
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

CSV_COLUMNS = ("attention", "params M", "GFLOPs", "forward", "backward")


def main() -> None:
    """Measure and print the table row by row."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", default=ATTENTION.names(), help="default: all")
    parser.add_argument("--backbone", default="resnet50")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--input-size", type=int, default=224)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--csv", type=Path, help="write the columns of docs/results.md into this file")
    arguments = parser.parse_args()
    print(f"{arguments.backbone}, {arguments.batch} images of {arguments.input_size} pixels\n")
    print("| " + " | ".join(COLUMNS) + " |")
    print("|---|---|" + "---:|" * (len(COLUMNS) - 2))
    figures: list[list[str]] = []
    for name in arguments.names:
        try:
            at, bare, attended = costs(name, arguments)
        except UserError as error:
            print(f"| {name} | {error} |", flush=True)
            continue
        cells = row(name, at, bare, attended)
        print("| " + " | ".join(cells) + " |", flush=True)
        if not figures:
            figures.append(["none", f"{bare.params / 1e6:.2f}", f"{bare.gflops:.2f}", "1", "1"])
        figures.append([cells[COLUMNS.index(column)] for column in CSV_COLUMNS])
    if arguments.csv:
        write_text(arguments.csv, csv_header(arguments) + csv_text(CSV_COLUMNS, figures))


def csv_header(arguments: argparse.Namespace) -> str:
    """How the figures were made, as comment lines."""
    options = " ".join(shlex.quote(argument) for argument in sys.argv[1:])
    processor = "CPU" if arguments.device == "cpu" else torch.cuda.get_device_name(arguments.device)
    return (
        f"# python benchmarks/attention.py {options}\n"
        f"# {arguments.backbone}, 1000 classes, training mode, {arguments.batch} images of "
        f"{arguments.input_size} pixels, best of {arguments.repeats}; {processor}, "
        f"{os.cpu_count()} cores, torch {torch.__version__}.\n"
        "# forward and backward are multiples of the bare network's time; a tenth may be noise.\n"
    )


def row(name: str, at: str, bare: Cost, attended: Cost) -> list[str]:
    """The cells of one module, the last three as multiples of the bare network's."""
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
