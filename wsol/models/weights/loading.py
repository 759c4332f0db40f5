"""Pretrained weights: from a file of one's own, or by torchvision's or timm's own names."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from wsol.errors import UserError, suggest
from wsol.files.reading import refuse_no_file
from wsol.models.localizer import Localizer
from wsol.models.networks.by_name import CLASSIFIER, LIBRARIES, feature_chain, library_of
from wsol.models.weights.torch_file import read_torch_file
from wsol.models.weights.weight_formats import FORMATS
from wsol.recipe import BackboneSettings, Recipe, WeightsSettings

# What published files hold beside features and classifier: Inception's training-time side branch.
SIDE_BRANCHES = ("AuxLogits", "aux1", "aux2")


def with_sha256(weights: WeightsSettings) -> WeightsSettings:
    """The card with its file's SHA-256 filled in; ``UserError`` where it says another."""
    if not weights.file:
        return weights
    path = _existing(weights.file)
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if weights.sha256 and weights.sha256 != found:
        raise UserError(f"{path}: weights.sha256 is {weights.sha256}, but the file's is {found}")
    return dataclasses.replace(weights, sha256=found)


def read_state(file: Path | str) -> dict[str, Tensor]:
    """The tensors of a ``.safetensors``, ``.pth`` or ``.pt`` file by name; nothing is unpickled.

    Checkpoints that wrap them (``state_dict``, ``model``) are opened, DataParallel's ``module.`` goes.
    """
    path = _existing(file)
    if path.suffix != ".safetensors":
        content = read_torch_file(path, "give weights as .safetensors, or a state_dict() as .pth")
    else:
        try:
            content = load_file(path)
        except (SafetensorError, RuntimeError, LookupError, OSError) as error:
            reason = str(error).split("\n")[0][:200]
            raise UserError(f"{path}: not a .safetensors file, or a damaged one ({reason})") from error
    for key in ("state_dict", "model_state_dict", "model"):
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    if not isinstance(content, Mapping) or not all(
        isinstance(value, Tensor) for value in content.values()
    ):
        raise UserError(f"{path}: holds no table of tensors by name")
    return {str(name).removeprefix("module."): value for name, value in content.items()}


def load_network_weights(network: nn.Module, recipe: Recipe, *, with_classifier: bool) -> None:
    """Fill the library's network, before attention is put in, from a ``native`` file or the library.

    What lies past the features may be missing or left over, unless ``with_classifier``.
    """
    weights = with_sha256(recipe.weights)
    _check_names(weights)
    if weights.format != "native" or (weights.name == "none" and not weights.file):
        return
    if weights.file:
        source, state = weights.file, read_state(weights.file)
    else:
        source = f"{weights.name}'s weights of {recipe.backbone.name}"
        state = library_state(recipe.backbone, weights)
    _load(network, state, source, recipe.backbone.name, with_classifier=with_classifier)


def load_localizer_weights(localizer: Localizer, weights: WeightsSettings) -> set[str]:
    """Fill the whole localizer, attention and head too, from a file in another project's format.

    Returns the names of the tensors that the file has.
    """
    if weights.format == "native" or not weights.file:
        return set()
    state = FORMATS[weights.format].rename(read_state(weights.file), localizer)
    own = localizer.state_dict()
    # A classifier of other classes is left out; the new one is trained.
    state = {
        name: value
        for name, value in state.items()
        if not name.startswith("head.classifier.") or _fits(state, own, name)
    }
    wanted = {name for name in own if not name.startswith("head.") and not _is_counter(name)}
    unexpected = {name for name in state if not _fits(state, own, name)}
    _refuse(weights.file, f"this {localizer.backbone.name}", wanted - set(state), unexpected)
    localizer.load_state_dict(state, strict=False)
    return set(state)


def library_state(backbone: BackboneSettings, weights: WeightsSettings) -> dict[str, Tensor]:
    """The library's own ImageNet weights, which it downloads; torchvision's first ones, the field's."""
    name = library_of(backbone.name)[1]
    if weights.name == "timm":
        import timm

        try:
            network = timm.create_model(name, pretrained=True, **backbone.options)
        except (RuntimeError, OSError) as error:
            raise UserError(_not_loaded("timm", name, error)) from error
        card: Any = network.pretrained_cfg
        if (tuple(card["mean"]), tuple(card["std"])) != (tuple(weights.mean), tuple(weights.std)):
            raise UserError(
                f"timm's weights of {backbone.name} want weights.mean {list(card['mean'])} and "
                f"weights.std {list(card['std'])}"
            )
        return network.state_dict()
    from torchvision import models

    try:
        return models.get_model_weights(name)["IMAGENET1K_V1"].get_state_dict(progress=False)
    except (ValueError, KeyError):
        raise UserError(
            f"torchvision has no ImageNet weights of {name}: try weights.name timm"
        ) from None
    except OSError as error:
        raise UserError(_not_loaded("torchvision", name, error)) from error


def _not_loaded(library: str, name: str, error: Exception) -> str:
    reason = " ".join(str(error).split())[:200]
    return f"{library}'s weights of {name} cannot be loaded ({reason}); name a file with --weights"


def _check_names(weights: WeightsSettings) -> None:
    if weights.format != "native" and weights.format not in FORMATS:
        raise UserError(
            f"unknown weights.format {weights.format!r}{suggest(weights.format, ['native', *FORMATS])}"
        )
    if not weights.file and weights.name not in ("none", *LIBRARIES):
        raise UserError(
            f"weights.name {weights.name!r} needs weights.file; without it: none, torchvision or timm"
        )
    if weights.format != "native" and not weights.file:
        raise UserError(f"weights.format {weights.format} needs weights.file")


def _load(
    network: nn.Module, state: dict[str, Tensor], source: str, name: str, *, with_classifier: bool
) -> None:
    own = network.state_dict()
    links = tuple(f"{link}." for link in feature_chain(network))
    needed = {key for key in own if with_classifier or key.startswith(links)}
    missing = {key for key in needed if key not in state and not _is_counter(key)}
    spare = {key.partition(".")[0] for key in own if not key.startswith(links)}
    spare |= {*CLASSIFIER, *SIDE_BRANCHES, *_cut_off(network)}
    left_over = {key for key in state if key not in needed and key.partition(".")[0] not in spare}
    unfit = {key for key in state if key in needed and not _fits(state, own, key)}
    _refuse(source, name, missing, left_over | unfit)
    network.load_state_dict({key: state[key] for key in needed if key in state}, strict=False)


def _is_counter(name: str) -> bool:
    """Norms count their batches, which no forward pass reads; older files leave the counters out."""
    return name.endswith("num_batches_tracked")


def _cut_off(network: nn.Module) -> tuple[str, ...]:
    """Modules of the published network that lie past where ours was cut (InceptionV3's Mixed_7)."""
    return ("Mixed_7a", "Mixed_7b", "Mixed_7c") if hasattr(network, "Mixed_6e") else ()


def _fits(state: Mapping[str, Tensor], own: Mapping[str, Tensor], name: str) -> bool:
    return name in own and own[name].shape == state[name].shape


def _refuse(source: str, model: str, missing: set[str], unexpected: set[str]) -> None:
    if not missing and not unexpected:
        return
    findings = [
        f"{len(names)} {what} ({', '.join(sorted(names)[:3])}{', ...' if len(names) > 3 else ''})"
        for what, names in (("missing", missing), ("unexpected or of another shape", unexpected))
        if names
    ]
    raise UserError(f"{source}: not weights of {model}: tensors {'; '.join(findings)}")


def _existing(file: Path | str) -> Path:
    path = Path(file)
    refuse_no_file(path)
    if not path.is_file():
        raise UserError(f"{path}: no such weights file; see weights.file")
    return path
