"""What a module costs over the bare backbone: parameters, FLOPs, time and memory of one batch."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from wsol.models.cost import cost
from wsol.models.localizer import Localizer

# Seconds from some start.
Clock = Callable[[], float]


@dataclass(frozen=True)
class Cost:
    """Of one localizer; times in milliseconds for one batch.

    Attributes:
        params: all parameters.
        gflops: 10^9 multiply-adds an image.
        forward_ms: a forward pass in training.
        backward_ms: the backward pass after it.
        forward_noise_ms, backward_noise_ms: how far the middle one of the repeated times lies above the
            best: a smaller difference between two costs says nothing.
        saved_mb: 10^6 bytes that the forward pass keeps for the backward one, parameters left out.
    """

    params: int
    gflops: float
    forward_ms: float
    backward_ms: float
    saved_mb: float
    forward_noise_ms: float = 0.0
    backward_noise_ms: float = 0.0


def measure(
    localizers: Sequence[Localizer],
    input_size: int,
    batch: int,
    repeats: int = 5,
    clock: Clock = time.perf_counter,
) -> list[Cost]:
    """The cost of each on its own device, the best time of ``repeats``.

    They are timed in turn, so that a machine that is busy for a while slows all of them. On a CPU that
    is shared, ``time.process_time`` is the better clock: it counts this process alone, all its
    threads.
    """
    device = next(localizers[0].parameters()).device
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(batch, 3, input_size, input_size, generator=generator).to(device)
    # The first pass allocates and is left out of the times; it counts the memory.
    saved = [saved_bytes(localizer.train(), images) / 1e6 for localizer in localizers]
    rounds = [[timed_step(localizer, images, clock) for localizer in localizers] for _ in range(repeats)]
    costs = []
    for index, localizer in enumerate(localizers):
        times = [[1000 * steps[index][part] for steps in rounds] for part in range(2)]
        forward, backward = map(min, times)
        noise = [statistics.median(each) - min(each) for each in times]
        sizes = cost(localizer, input_size)
        costs.append(
            Cost(sizes["params"], sizes["gflops"], forward, backward, saved[index], noise[0], noise[1])
        )
    return costs


def timed_step(localizer: Localizer, images: Tensor, clock: Clock) -> tuple[float, float]:
    """Seconds of a forward and of a backward pass in training."""
    localizer.train().zero_grad()
    started = _now(images.device, clock)
    loss = localizer(images).logits.square().mean()
    middle = _now(images.device, clock)
    loss.backward()
    return middle - started, _now(images.device, clock) - middle


def _now(device: torch.device, clock: Clock) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return clock()


def saved_bytes(localizer: Localizer, images: Tensor) -> int:
    """Bytes kept for the backward pass by one forward pass, each storage once, parameters left out."""
    own = {parameter.untyped_storage().data_ptr() for parameter in localizer.parameters()}
    kept: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with saved_tensors_hooks(note, lambda tensor: tensor):
        localizer(images).logits.square().mean().backward()
    return sum(kept.values())
