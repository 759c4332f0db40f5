"""The weights of a run on disk: finite when they are written, and by their hash the same when read."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from wsol.errors import UserError
from wsol.files.reading import sha256_of as sha256_of_file


def weights_bytes(module: nn.Module, path: Path) -> bytes:
    """The weights of ``module`` as a safetensors file; ``UserError`` naming ``path`` if not finite."""
    # Copies: safetensors refuses tensors that share memory, and needs them dense.
    state = {
        name: value.detach().cpu().clone().contiguous() for name, value in module.state_dict().items()
    }
    check_finite(state, str(path))
    return save(state)


def check_finite(state: Mapping[str, Tensor], where: str) -> None:
    """``UserError`` naming the first tensor that holds NaN or infinity; ``where`` begins the line."""
    for name, value in state.items():
        if value.is_floating_point() and not torch.isfinite(value).all():
            raise UserError(
                f"{where}: the weights are not finite ({name}): lower training.lr, or train with "
                "training.precision 32-true; after that delete this run"
            )


def read_weights(path: Path, sha256: str | None) -> dict[str, Tensor]:
    """The tensors of a weights file; ``sha256`` is its hash when it was finished, None: not known.

    Raises:
        UserError: another file than the one that was trained.
        SafetensorError: not a safetensors file.
    """
    content = path.read_bytes()
    if sha256 is not None and hashlib.sha256(content).hexdigest() != sha256:
        raise _others(path)
    return load(content)


def check_sha256(path: Path, sha256: str) -> None:
    """``UserError`` where a weights file is missing, or not the one that was trained."""
    if sha256_of_file(path) != sha256:
        raise _others(path)


def _others(path: Path) -> UserError:
    return UserError(
        f"{path}: not the weights that were trained: their SHA-256 is another than in run.json; "
        "restore the file, or delete the run and train it again"
    )


def sha256_of(folder: Path) -> dict[str, str]:
    """The hash of each weights file of a run, its folds' too, by path in ``folder``; all are finite."""
    found = {}
    for path in sorted([*folder.glob("*.safetensors"), *folder.glob("fold*/*.safetensors")]):
        content = path.read_bytes()
        try:
            check_finite(load(content), str(path))
        except SafetensorError as error:
            raise UserError(f"{path}: damaged ({error}); delete the run and train it again") from error
        found[path.relative_to(folder).as_posix()] = hashlib.sha256(content).hexdigest()
    return found


def bad_hashes(hashes: object) -> str:
    """What is wrong with the entry ``weights`` of run.json; empty where nothing is."""
    if not isinstance(hashes, dict):
        return '"weights" must name files and their SHA-256'
    for name, value in hashes.items():
        if not isinstance(value, str) or not re.fullmatch(r"[0-9a-f]{64}", value):
            return f'"weights" of {name!r}: no SHA-256'
    return ""
