"""What each module takes of memory in training: the peak of one step of the recipes of digits.

    python benchmarks/training_memory.py [--configs configs/digits/*.yaml] [--csv FILE]

Counted are the bytes that torch allocates from the start of a step to its end (forward, backward and the
optimizer's), above what it held before: activations, gradients and the optimizer's own. What libraries
below torch take for themselves is not counted. Weights are small_resnet's, in each row its own number.
On a CPU the profiler's record of each allocation is summed up, on a GPU the allocator is asked. Figures
of two calls differ by less than half a percent.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional
from torch.profiler import ProfilerActivity, profile

from wsol.data.layouts.digits import NAMES
from wsol.files.csv_table import csv_text
from wsol.files.writing.atomic import write_text
from wsol.models.factory import build_localizer
from wsol.recipe import Recipe
from wsol.training.device import launch
from wsol.training.optimizer import build_optimizer

ROOT = Path(__file__).resolve().parents[1]
COLUMNS = ("attention", "params M", "memory MB")


def main() -> None:
    """Print a row a recipe, as CSV; write them where ``--csv`` says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    default = sorted((ROOT / "configs" / "digits").glob("*.yaml"))
    parser.add_argument("--configs", nargs="+", type=Path, default=default)
    parser.add_argument("--csv", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(",".join(COLUMNS))
    rows = []
    for config in arguments.configs:
        recipe = Recipe.from_yaml(config)
        params, peak = peak_of(recipe)
        rows.append([recipe.attention.label, f"{params / 1e6:.3f}", f"{peak / 1e6:.1f}"])
        print(",".join(rows[-1]), flush=True)
    rows.sort(key=lambda row: (row[0] not in ("none", "plain"), row[0]))
    if arguments.csv:
        write_text(arguments.csv, header(recipe) + csv_text(COLUMNS, rows))


def header(recipe: Recipe) -> str:
    """How the figures were made, as comment lines."""
    options = " ".join(map(shlex.quote, sys.argv[1:]))
    size, batch = recipe.data.input_size, recipe.training.batch_size
    return (
        f"# python benchmarks/training_memory.py {options}\n"
        f"# {recipe.backbone.name}, {batch} images of {size} pixels, {recipe.training.precision}, "
        f"{recipe.training.optimizer}, {os.uname().sysname}, torch {torch.__version__}\n"
    )


def peak_of(recipe: Recipe) -> tuple[int, int]:
    """Parameters of the network, and the most bytes that one step of its training holds at a time."""
    torch.manual_seed(recipe.seed)
    fabric = launch(recipe.how.device, recipe.training.precision)
    localizer = build_localizer(recipe, len(NAMES), load_weights=False).train()
    if recipe.training.channels_last:
        localizer.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    built = build_optimizer(localizer.parameter_groups(), recipe.training)
    network, optimizer = fabric.setup(localizer, built)
    batch, side = recipe.training.batch_size, recipe.data.input_size
    images = torch.randn(batch, 3, side, side, device=fabric.device)
    images = images.to(memory_format=torch.channels_last)
    labels = torch.arange(batch, device=fabric.device) % len(NAMES)

    def step() -> None:
        loss = functional.cross_entropy(network(images).logits.float(), labels)
        optimizer.zero_grad()
        fabric.backward(loss)
        optimizer.step()

    step()  # the first allocates what the optimizer keeps
    optimizer.zero_grad()
    peak = on_gpu(step) if fabric.device.type == "cuda" else on_cpu(step)
    return sum(parameter.numel() for parameter in localizer.parameters()), peak


def on_gpu(step: Callable[[], None]) -> int:
    """The peak above what was held before, as CUDA's allocator says."""
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    step()
    return torch.cuda.max_memory_allocated() - before


def on_cpu(step: Callable[[], None]) -> int:
    """The peak of a running sum over every allocation and release that the profiler saw, in order."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True, acc_events=True) as profiled:
        step()
    recorded: list[Any] = profiled.profiler.kineto_results.events()  # type: ignore[union-attr]
    changes = sorted((one.start_ns(), one.nbytes()) for one in recorded if one.name() == "[memory]")
    held = peak = 0
    for _, change in changes:
        held += change
        peak = max(peak, held)
    return peak


if __name__ == "__main__":
    main()
