"""What each system costs beside plain training of the same backbone: time, memory, parameters, FLOPs.

    python benchmarks/systems_cost.py [--configs configs/systems/*.yaml] [--csv FILE]

A training step is all turns of the recipe's method on one batch, DREAL's counterfactual passes and its
critic among them; inference is a pass of what is scored. Both are multiples of CAM's on small_resnet
(configs/digits/cam.yaml). The modules that DREAL trains stand beside it by themselves. Rows take turns
in every round, and the median over the rounds is told, so that a busy machine matters less. Memory is
the peak of a training step, as in benchmarks/training_memory.py. One thread; float32 where the CPU has
no bf16.
"""

from __future__ import annotations

import argparse
import os
import shlex
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from training_memory import on_cpu, on_gpu

from wsol.data.layouts.digits import NAMES
from wsol.files.csv_table import csv_text
from wsol.files.writing.atomic import write_text
from wsol.methods.build import build_method
from wsol.models.cost import cost
from wsol.models.factory import build_localizer
from wsol.pipeline.digits_recipes import on_this_machine
from wsol.recipe import Recipe
from wsol.training.device import launch
from wsol.training.turns import prepare_turns

ROOT = Path(__file__).resolve().parents[1]
ALONE = ("plain", "se", "cbam", "rfga", "tdam", "ltpa", "multi_context")
CAM = ROOT / "configs" / "digits" / "cam.yaml"
COLUMNS = ("recipe", "params M", "GFLOPs", "training", "inference", "memory MB")


class Row:
    """A recipe's network and method, ready to take a step."""

    def __init__(self, config: Path) -> None:
        self.name = config.stem
        self.recipe = recipe = on_this_machine(Recipe.from_yaml(config))
        torch.manual_seed(recipe.seed)
        self.fabric = launch(recipe.how.device, recipe.training.precision)
        localizer = build_localizer(recipe, len(NAMES), load_weights=False)
        self.method = build_method(recipe, localizer)
        self.figures = cost(self.method.trained(), recipe.data.input_size)
        if recipe.training.channels_last:
            self.method.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.turns = prepare_turns(self.method, recipe.training, self.fabric)
        batch, side = recipe.training.batch_size, recipe.data.input_size
        images = torch.randn(batch, 3, side, side, device=self.fabric.device)
        self.images = images.to(memory_format=torch.channels_last)
        self.labels = torch.arange(batch, device=self.fabric.device) % len(NAMES)

    def train(self) -> None:
        """All turns of one batch."""
        for turn in self.turns:
            turn.module.train()
            turn.take(self.images, self.labels)

    @torch.inference_mode()
    def infer(self) -> None:
        """One pass of what is scored."""
        self.method.trained().eval()(self.images)

    def memory(self) -> int:
        """The peak of one training step in bytes, above what was held before."""
        for turn in self.turns:
            turn.optimizer.zero_grad()
        return (on_gpu if self.fabric.device.type == "cuda" else on_cpu)(self.train)

    def seconds(self, what: str) -> float:
        """How long a step takes."""
        started = time.perf_counter()
        getattr(self, what)()
        if self.fabric.device.type == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - started


def main() -> None:
    """Print a row a recipe, as CSV; write them where ``--csv`` says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    alone = [ROOT / "configs" / "digits" / f"{name}.yaml" for name in ALONE]
    systems = sorted((ROOT / "configs" / "systems").glob("*.yaml"))
    # Those for photographs are of another size altogether.
    default = [*alone, *(one for one in systems if Recipe.from_yaml(one).data.name == "digits")]
    parser.add_argument("--configs", nargs="+", type=Path, default=default)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--csv", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rows = [Row(config) for config in [CAM, *arguments.configs]]
    times = {what: rounds(rows, what, arguments.rounds) for what in ("train", "infer")}
    lines = []
    for row in rows:
        ratios = [
            statistics.median(
                own / plain for own, plain in zip(found[row.name], found["cam"], strict=True)
            )
            for found in times.values()
        ]
        figures = row.figures
        lines.append(
            [
                row.name,
                f"{figures['params'] / 1e6:.3f}",
                f"{figures['gflops']:.4f}",
                *(f"{ratio:.2f}" for ratio in ratios),
                f"{row.memory() / 1e6:.1f}",
            ]
        )
    print(csv_text(COLUMNS, lines))
    if arguments.csv:
        write_text(arguments.csv, header(rows[0].recipe) + csv_text(COLUMNS, lines))


def rounds(rows: Sequence[Row], what: str, count: int) -> dict[str, list[float]]:
    """Seconds of each row in each round; the first round warms up and is left out."""
    found: dict[str, list[float]] = {row.name: [] for row in rows}
    for _ in range(count + 1):
        for row in rows:
            found[row.name].append(row.seconds(what))
    return {name: seconds[1:] for name, seconds in found.items()}


def header(recipe: Recipe) -> str:
    """How the figures were made, as comment lines."""
    options = " ".join(map(shlex.quote, sys.argv[1:]))
    size, batch = recipe.data.input_size, recipe.training.batch_size
    return (
        f"# python benchmarks/systems_cost.py {options}\n"
        f"# {batch} images of {size} pixels, {recipe.training.precision}, {recipe.training.optimizer}, "
        f"1 thread, {os.uname().sysname}, torch {torch.__version__}\n"
        "# training and inference are multiples of CAM's time; a tenth may be noise\n"
    )


if __name__ == "__main__":
    main()
