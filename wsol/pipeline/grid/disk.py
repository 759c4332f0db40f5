"""The disk that a grid will need, estimated before hours of training, and the room there is."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from torch import Tensor, nn

from wsol.data.manifest.queries import scored_split
from wsol.errors import UserError
from wsol.methods.build import build_method
from wsol.models.factory import build_localizer
from wsol.pipeline.grid.rows import GridRow
from wsol.recipe import Recipe

# Of a record and its arrays, each image and each picture; the committed records take 15 to 350 bytes an
# image and up to 1,420 with masks.
RECORD, IMAGE, IMAGE_WITH_MASK, PICTURE = 10_000, 350, 1_420, 40_000

# With less room than this times the need, the reader is warned: others write to the disk too.
AMPLE = 1.25


class RunSize(NamedTuple):
    """Bytes of a run: ``weights`` stay, ``progress`` is what resuming needs until training has ended."""

    weights: int
    progress: int


class Need(NamedTuple):
    """Bytes that folders will take, and those free on its file system."""

    folders: tuple[Path, ...]
    needed: int
    free: int


def disk_needs(rows: Sequence[GridRow], overlays: int, jobs: int) -> list[Need]:
    """What rows without records will take on each file system, ``jobs`` runs at a time."""
    sizes: dict[Recipe, RunSize] = {}
    wanted: dict[Path, int] = defaultdict(int)
    passing: dict[Path, list[int]] = defaultdict(list)
    for row in rows:
        recipe = row.recipe.changed(seed=0)
        if recipe not in sizes:
            sizes[recipe] = run_size(recipe, row.manifest.class_keys)
        runs, results = Path(recipe.how.runs), Path(recipe.how.results)
        wanted[results] += _records_size(row, overlays)
        if not row.folder.finished:
            weights, progress = sizes[recipe]
            wanted[runs] += max(weights - _bytes(row.folder.path.rglob("*.safetensors")), 0)
            # Twice: the new one is written beside the old one, which it replaces.
            passing[runs].append(2 * progress - _bytes(row.folder.path.rglob("resume.pth")))
    for runs, progress in passing.items():
        wanted[runs] += max(sum(sorted(progress)[-jobs:]), 0)
    return _by_file_system(wanted)


def run_size(recipe: Recipe, keys: Sequence[str]) -> RunSize:
    """The size of a recipe's run, by its network's parameters; (0, 0) where that cannot be built."""
    training = recipe.training
    try:
        method = build_method(recipe, build_localizer(recipe, len(keys), keys, load_weights=False))
    except Exception:
        return RunSize(0, 0)  # its row says what is wrong, be it in a module of the user's
    weights = _state_bytes(method.trained())
    optimizer = {"sgd": 1 if training.momentum else 0}.get(training.optimizer, 2)
    moments = optimizer * sum(each.numel() * each.element_size() for each in method.parameters())
    networks = max(training.folds, 1)
    kept = 1 if training.selection == "last" else 2
    progress = (_state_bytes(method) + moments) * networks if training.epochs else 0
    return RunSize(weights * kept * networks, progress)


def check_room(needs: Iterable[Need]) -> list[str]:
    """What there is to say of the disk, a line a file system.

    Raises:
        UserError: one has less free than is needed.
    """
    said = []
    for folders, needed, free in needs:
        places = " and ".join(map(str, folders))
        if needed > free:
            raise UserError(
                f"{places}: the grid needs about {megabytes(needed)} there, {megabytes(free)} are free: "
                "make room, or name folders elsewhere (how.runs, how.results)"
            )
        scarce = ": hardly enough" if AMPLE * needed > free else ""
        said.append(f"about {megabytes(needed)} of disk in {places} ({megabytes(free)} free{scarce})")
    return said


def megabytes(size: int) -> str:
    """Bytes as people read them: ``12 MB``, ``3.4 GB``."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{-(-size // 1_000_000)} MB"


def _records_size(row: GridRow, overlays: int) -> int:
    size = 0
    for manifest, settings, run_ids in row.scorings:
        masks = settings.masks and bool(manifest.tables.masks) and not manifest.queries
        image = IMAGE_WITH_MASK if masks else IMAGE
        images = len(scored_split(manifest, settings.split)) * image
        size += len(run_ids) * (RECORD + images + overlays * PICTURE)
    return size


def _state_bytes(module: nn.Module) -> int:
    """Of all tensors, one that has two names once, as it is saved.

    What a method keeps beside them (``get_extra_state``) is not of a network's size.
    """
    tensors = [value for value in module.state_dict().values() if isinstance(value, Tensor)]
    sizes = {tensor.data_ptr(): tensor.numel() * tensor.element_size() for tensor in tensors}
    return sum(sizes.values())


def _bytes(files: Iterable[Path]) -> int:
    return sum(file.stat().st_size for file in files if file.is_file())


def _by_file_system(wanted: dict[Path, int]) -> list[Need]:
    """One need a file system."""
    needs: dict[int, Need] = {}
    for folder, needed in wanted.items():
        existing = next(
            place for place in (folder.resolve(), *folder.resolve().parents) if place.exists()
        )
        device = existing.stat().st_dev
        earlier = needs.get(device, Need((), 0, shutil.disk_usage(existing).free))
        needs[device] = Need((*earlier.folders, folder), earlier.needed + needed, earlier.free)
    return list(needs.values())
