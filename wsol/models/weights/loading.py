"""Pretrained weights: from a file of one's own, or by torchvision's or timm's own names."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from wsol.errors import UserError, suggest
from wsol.files.reading import refuse_no_file
from wsol.models.localizer import Localizer
from wsol.models.networks.by_name import (
    CLASSIFIER,
    LIBRARIES,
    SMALL,
    feature_chain,
    holds_parameters,
    is_chain,
)
from wsol.models.networks.tokens.sides import own_side, resized_state
from wsol.models.weights.checkpoint import (
    chosen_table,
    half_precision,
    tables_of,
    top_level,
    unwrapped,
    without_prefix,
)
from wsol.models.weights.file_kinds import is_safetensors, other_kind
from wsol.models.weights.library import library_state, with_tag
from wsol.models.weights.nearest import nearest_backbone
from wsol.models.weights.torch_file import read_torch_file
from wsol.models.weights.weight_formats import FORMATS
from wsol.progress import say
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


def settled(weights: WeightsSettings, backbone: BackboneSettings) -> WeightsSettings:
    """The card that says which weights they are: a file's by its hash, a library's by its tag.

    ``UserError`` as `with_sha256` and `with_tag` raise it, and where a file's card has a tag.
    """
    if not weights.file and weights.name in LIBRARIES:
        return with_tag(weights, backbone)
    if weights.tag:
        raise UserError(
            f"weights.tag {weights.tag} names weights of a library: it goes with weights.name "
            "torchvision or timm, and without weights.file"
        )
    return with_sha256(weights)


def tensors_sha256(state: Mapping[str, Tensor]) -> str:
    """SHA-256 of tensors: their names in order, types, shapes and bytes; counters of batches left out.

    So the same weights are the same from any file and from any library that names them alike.
    """
    found = hashlib.sha256()
    for name in sorted(state):
        if not _is_counter(name):
            tensor = state[name].detach().cpu().contiguous()
            found.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
            found.update(tensor.flatten().view(torch.uint8).numpy().tobytes())
    return found.hexdigest()


def read_state(
    file: Path | str, key: str = "", wanted: Iterable[str] = (), also: Iterable[str] = ()
) -> dict[str, Tensor]:
    """The tensors of a ``.safetensors``, ``.pth`` or ``.pt`` file by name; nothing is unpickled.

    Checkpoints that wrap them are opened: of several tables ``key`` names one, else the first by
    `wsol.models.weights.checkpoint.PRECEDENCE` is taken. DataParallel's ``module.`` and torch.compile's
    ``_orig_mod.`` go, and what else stands before all the names ``wanted`` (see `without_prefix`).

    Raises:
        UserError: another kind of file, by its kind; no table of tensors, or several.
    """
    path = _existing(file)
    content = _content(path)
    tables = tables_of(content)
    try:
        if not tables:
            raise UserError(f"holds no table of tensors by name ({top_level(content)})")
        names = {one: {unwrapped(name): value for name, value in tables[one].items()} for one in tables}
        taken, state = chosen_table(names, unwrapped(key) if key else "", wanted)
        if not key and len(tables) > 1:
            others = ", ".join(other for other in tables if other != taken)
            say(f"{path}: takes {taken}; it holds {others} too, see weights.key")
        state = without_prefix(state, wanted, also)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    for kind in half_precision(state):
        say(f"{path}: tensors of type {kind}, cast to float32")
    return state


def _content(path: Path) -> object:
    if is_safetensors(path):
        try:
            return load_file(path)
        except (SafetensorError, RuntimeError, LookupError, OSError) as error:
            reason = str(error).split("\n")[0][:200]
            raise UserError(f"{path}: not a .safetensors file, or a damaged one ({reason})") from error
    if kind := other_kind(path):
        raise UserError(f"{path}: {kind}")
    if path.suffix == ".safetensors" and not _is_torchs(path):
        raise UserError(f"{path}: not a .safetensors file, or a damaged one; download it again")
    return read_torch_file(path, "give weights as .safetensors, or a state_dict() as .pth")


def _is_torchs(path: Path) -> bool:
    """Whether torch wrote it, in its zip or as a pickle, under whatever name."""
    with path.open("rb") as file:
        return file.read(2) in (b"PK", b"\x80\x02")


def load_network_weights(network: nn.Module, recipe: Recipe, *, with_classifier: bool) -> str:
    """Fill the library's network, before attention is put in, from a ``native`` file or the library.

    What lies past the features may be missing or left over, unless ``with_classifier``. Returns the
    `tensors_sha256` of what was loaded, empty where nothing was.
    """
    _check_names(recipe.weights)
    weights = settled(recipe.weights, recipe.backbone)
    if weights.format != "native" or (weights.name == "none" and not weights.file):
        return ""
    if weights.file:
        source = weights.file
        own = _learnt(network)
        features = own if with_classifier else _in_features(network, own)
        also = own - _in_features(network, own) if with_classifier else set()
        state = read_state(source, weights.key, features - also, also)
    else:
        source = f"{weights.name}'s weights of {recipe.backbone.name}"
        state = library_state(recipe.backbone, weights)
    return _load(network, state, source, recipe.backbone.name, with_classifier=with_classifier)


def load_localizer_weights(localizer: Localizer, weights: WeightsSettings) -> dict[str, Tensor]:
    """Fill the whole localizer, attention and head too, from a file in another project's format.

    Returns the tensors that were loaded, by their names in the localizer.
    """
    if weights.format == "native" or not weights.file:
        return {}
    state = FORMATS[weights.format].rename(read_state(weights.file, weights.key), localizer)
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
    return state


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
) -> str:
    own = network.state_dict()
    features = _in_features(network, own)
    needed = {*own} if with_classifier else features
    if not all(_fits(state, own, key) for key in needed & state.keys()):
        state = resized_state(network, state)
    missing = {key for key in needed if key not in state and not _is_counter(key)}
    spare = {key.partition(".")[0] for key in own if key not in features}
    spare |= {*CLASSIFIER, *SIDE_BRANCHES, *_cut_off(network)}
    left_over = {key for key in state if key not in needed and key.partition(".")[0] not in spare}
    unfit = {key for key in state if key in needed and not _fits(state, own, key)}
    _refuse(source, name, missing, left_over | unfit, state)
    loaded = {key: state[key] for key in needed if key in state}
    network.load_state_dict(loaded, strict=False)
    return tensors_sha256(loaded)


def _learnt(network: nn.Module) -> set[str]:
    return {name for name in network.state_dict() if not _is_counter(name)}


def _in_features(network: nn.Module, names: Iterable[str]) -> set[str]:
    chain = feature_chain(network)
    of_patches = holds_parameters(network) or own_side(network) is not None
    if of_patches and not is_chain(network, chain, own_side(network) or SMALL):
        # All of it but its classifier is one stage: class tokens and position embeddings too.
        return {name for name in names if name.partition(".")[0] not in CLASSIFIER}
    links = tuple(f"{link}." for link in chain)
    return {name for name in names if name.startswith(links)}


def _is_counter(name: str) -> bool:
    """Norms count their batches, which no forward pass reads; older files leave the counters out."""
    return name.endswith("num_batches_tracked")


def _cut_off(network: nn.Module) -> tuple[str, ...]:
    """Modules of the published network that lie past where ours was cut (InceptionV3's Mixed_7)."""
    return ("Mixed_7a", "Mixed_7b", "Mixed_7c") if hasattr(network, "Mixed_6e") else ()


def _fits(state: Mapping[str, Tensor], own: Mapping[str, Tensor], name: str) -> bool:
    return name in own and own[name].shape == state[name].shape


def _refuse(
    source: str, model: str, missing: set[str], unexpected: set[str], state: Mapping[str, Tensor] = {}
) -> None:
    if not missing and not unexpected:
        return
    findings = [
        f"{len(names)} {what} ({', '.join(sorted(names)[:3])}{', ...' if len(names) > 3 else ''})"
        for what, names in (("missing", missing), ("unexpected or of another shape", unexpected))
        if names
    ]
    if missing and not unexpected and {key.partition(".")[0] for key in missing} <= {*CLASSIFIER}:
        findings += ["the file has no classifier, whose classes the maps are of"]
    near = nearest_backbone(state)
    findings += [f"their shapes are those of {near}"] if near else []
    raise UserError(f"{source}: not weights of {model}: tensors {'; '.join(findings)}")


def _existing(file: Path | str) -> Path:
    path = Path(file)
    refuse_no_file(path)
    if not path.is_file():
        raise UserError(f"{path}: no such weights file; see weights.file")
    return path
