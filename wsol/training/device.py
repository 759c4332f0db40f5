"""The device, the precision and the processes of a run, through Lightning Fabric."""

from __future__ import annotations

import atexit
import logging
import os
import platform
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

import torch

from wsol.errors import UserError
from wsol.progress import say, world_size

if TYPE_CHECKING:
    from lightning_fabric import Fabric

PRECISIONS = ("32-true", "bf16-mixed", "16-mixed")


def launch(device: str, precision: str) -> Fabric:
    """A launched Fabric: one process, or the processes torchrun has started.

    ``device`` is ``auto``, ``cpu`` or ``cuda``. ``UserError`` for a device that is not there.
    """
    if device not in ("auto", "cpu", "cuda"):
        raise UserError(f"how.device is {device!r}: there are auto, cpu, cuda")
    if device == "cuda" and not torch.cuda.is_available():
        raise UserError("how.device is cuda, but torch sees no GPU: use auto or cpu")
    if precision not in PRECISIONS:
        raise UserError(f"training.precision is {precision!r}: there are {', '.join(PRECISIONS)}")
    # Imported here: it takes seconds, and help or a wrong recipe should not wait for it.
    from lightning_fabric import Fabric

    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", module="lightning_fabric")
    processes = world_size()
    fabric = Fabric(
        accelerator="auto" if device == "auto" else device,
        # On a CPU "auto" would start two rank-0 processes under torchrun.
        devices=int(os.environ.get("LOCAL_WORLD_SIZE", processes)),
        num_nodes=processes // int(os.environ.get("LOCAL_WORLD_SIZE", processes)),
        strategy="ddp" if processes > 1 else "auto",
        precision=precision,  # type: ignore[arg-type]
    )
    fabric.launch()
    if processes > 1:
        # A process that ends with its connections open is aborted now and then, its exit code lost.
        atexit.register(torch.distributed.destroy_process_group)
    if precision == "bf16-mixed" and not computes_bf16(fabric.device.type):
        _tell_of_slow_bf16()
    return fabric


def computes_bf16(device: str) -> bool:
    """Whether ``auto``, ``cpu`` or ``cuda`` multiplies bf16 by itself.

    A CPU that does not is far slower in bf16 than in float32: every convolution is emulated.
    """
    if device == "cuda" or (device == "auto" and torch.cuda.is_available()):
        return True
    instructions = [there for name, there in _capabilities().items() if name.endswith("bf16")]
    if instructions:
        return any(instructions)
    # Younger than some torch. oneDNN says yes on every CPU with AVX-512, and emulates it on most.
    supported = getattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", None)
    return supported is None or bool(supported())


def cpu_kind() -> str:
    """The CPU, and of its instructions those by which kernels are chosen: other ones round otherwise.

    ``Intel Xeon, AVX512, amx_bf16, avx512_bf16``: a training repeats bit for bit where this is the same.
    """
    told = _capabilities()
    name = str(told.get("cpu_name") or platform.processor() or platform.machine())
    bf16 = sorted(one for one, there in told.items() if one.endswith("bf16") and there)
    return ", ".join([name, torch.backends.cpu.get_cpu_capability(), *bf16])


def _capabilities() -> Mapping[str, object]:
    """What torch tells of the CPU; nothing where it is too old to."""
    return getattr(torch.cpu, "get_capabilities", dict)()


@cache
def _tell_of_slow_bf16() -> None:
    say(
        "training.precision is bf16-mixed, which this CPU computes in software, far slower "
        "than float32: --training.precision 32-true is fast here, and a row of its own"
    )


@contextmanager
def threads(count: int | None) -> Iterator[None]:
    """Within the context torch computes with ``count`` threads, afterwards with as many as before.

    None changes nothing. Threads between operations need no number: nothing here forks any.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def device_name(device: torch.device, threads: int) -> str:
    """What the board calls the device: the GPU's name, or the CPU and its threads."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"CPU, {threads} threads"
