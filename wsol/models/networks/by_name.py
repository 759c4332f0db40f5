"""A network by name, from timm or torchvision, and the chain of modules that makes its features."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from wsol.errors import UserError, suggest
from wsol.models.networks.catalogue import BACKBONES
from wsol.models.networks.hourglass_stem import HourglassStem
from wsol.models.networks.inception import ImageNetToInception, as_wsolevaluation
from wsol.models.networks.ltpa_networks import ResNet164Att, VGGAtt
from wsol.models.networks.residual_attention import MODULES, ResidualAttentionNetwork
from wsol.models.networks.small_resnet import SmallResNet
from wsol.models.networks.tokens.chain import WRONG_LAYOUT, links_of, shape_call, stage_of
from wsol.models.networks.tokens.layouts import layout_of, to_maps
from wsol.models.networks.tokens.stage import Aside, TokenStage
from wsol.models.networks.torchvision_networks import torchvision_network

LIBRARIES = ("torchvision", "timm")

LTPA_NETWORKS: dict[str, type[nn.Module]] = {"vgg_att": VGGAtt, "resnet164_att": ResNet164Att}

# Children of a network from which on it is a classifier and no longer features.
CLASSIFIER = (
    "global_pool",
    "avgpool",
    "head",
    "head_drop",
    "fc",
    "classifier",
    "pre_logits",
    "dropout",
    "last_linear",
    "flatten",
    "fc_norm",
    "attn_pool",
    "head_dist",
    "aux_head",
)

# Side in pixels of the image on the meta device that shows the stride of each link.
PROBE = 224

# Side of the image on which a chain is compared with its network: the Inceptions' stems need 75.
SMALL = 96


def create_network(name: str, options: Mapping[str, Any]) -> nn.Module:
    """The network ``name`` with fresh weights; ``options`` go to its constructor.

    timm is asked first, then torchvision; ``timm:NAME`` and ``torchvision:NAME`` ask that library alone,
    for the network as it stands there. ``UserError`` for an unknown name or option.
    """
    library, bare = library_of(name)
    try:
        return _of_library(library, bare, options) if library else _create(name, options)
    except (TypeError, ValueError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(
            f"backbone {name}: {' '.join(str(error).split())}; see backbone.options"
        ) from error


def library_of(name: str) -> tuple[str, str]:
    """``timm:resnet50`` as ("timm", "resnet50"); ("", name) where no library is named."""
    library, colon, bare = name.partition(":")
    return (library, bare) if colon and library in LIBRARIES else ("", name)


def _of_library(library: str, name: str, options: Mapping[str, Any]) -> nn.Module:
    """The network as that library makes it, with fresh weights."""
    if library == "timm":
        import timm

        known = timm.list_models(pretrained=True)
        if timm.is_model(name):
            return timm.create_model(name, pretrained=False, **options)
    else:
        from torchvision import models

        known = models.list_models(module=models)
        if name in known:
            return torchvision_network(name, options)
    near = difflib.get_close_matches(name, known, n=2, cutoff=0.5)
    hint = f": did you mean {' or '.join(map(repr, near))}?" if near else ""
    raise UserError(f"{library} has no network {name!r}{hint}")


def _create(name: str, options: Mapping[str, Any]) -> nn.Module:
    if name == "small_resnet":
        return SmallResNet(**options)
    if name == "small_vit":
        from wsol.models.networks.small_vit import SmallViT  # imports timm

        return SmallViT(**options)
    if name == "hourglass_stem":
        return HourglassStem(**options)
    if name in MODULES:
        return ResidualAttentionNetwork(MODULES[name], **options)
    if name in LTPA_NETWORKS:
        return LTPA_NETWORKS[name](**options)
    if name in ("vgg16", "vgg16_bn"):
        return _vgg16(batch_norm=name == "vgg16_bn", **options)
    import timm

    if timm.is_model(name):
        network = timm.create_model(name, pretrained=False, **options)
        return as_wsolevaluation(network) if name == "inception_v3" else network
    from torchvision import models

    if name in models.list_models(module=models):
        return torchvision_network(name, options)
    known = {*BACKBONES, *timm.list_models(), *models.list_models(module=models)}
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    raise UserError(f"unknown backbone {name!r}{suggest(name, known if near else BACKBONES)}")


def _vgg16(*, batch_norm: bool) -> nn.Module:
    """The features of VGG16 alone: its classifier would be 120 million parameters to throw away."""
    from torchvision.models.vgg import cfgs, make_layers

    network = nn.Module()
    network.features = make_layers(cfgs["D"], batch_norm=batch_norm)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            nn.init.zeros_(module.bias)  # type: ignore[arg-type]
    return network


def feature_chain(network: nn.Module) -> dict[str, nn.Module]:
    """The modules that, called one after another, make the features; by their names in the network."""
    chain: dict[str, nn.Module] = {}
    if getattr(network, "transform_input", False):
        chain["transform_input"] = ImageNetToInception()
    for name, child in network.named_children():
        if name in CLASSIFIER:
            break
        chain |= _links(name, child)
    return chain


def _links(name: str, module: nn.Module) -> dict[str, nn.Module]:
    # A plain Sequential is a chain itself; its subclasses may do more and stay whole.
    if type(module) is not nn.Sequential:
        return {name: module}
    return {
        link: part
        for child_name, child in module.named_children()
        for link, part in _links(f"{name}.{child_name}", child).items()
    }


@torch.no_grad()
def probe(chain: Mapping[str, nn.Module], side: int = PROBE) -> dict[str, torch.Size]:
    """The output shape of each link for one image of ``side`` pixels; nothing is computed."""
    x = torch.empty(1, 3, side, side, device="meta")
    shapes = {}
    aside = Aside()
    for name, module in chain.items():
        x = shape_call(module, x, aside) if isinstance(module, TokenStage) else shape_call(module, x)
        shapes[name] = x.shape
    return shapes


def octave(size: int, side: int = PROBE) -> int:
    """The power of two by which ``size`` is smaller than ``side``, near enough (111 counts as 112)."""
    return round(math.log2(side / size))


def check_chain(name: str, network: Any, chain: dict[str, nn.Module]) -> None:
    """``UserError`` where the chain is not what the network itself does before its classifier."""
    if not is_chain(network, chain):
        raise UserError(
            f"backbone {name} is not a chain of stages (its forward pass does more than call its "
            "modules one after another, and it has no forward_features): choose one of `wsol list "
            "backbones`, or timm's network of its kind"
        )


def holds_parameters(network: nn.Module) -> bool:
    """Whether it has parameters beside its modules: class tokens, position embeddings."""
    return any(isinstance(parameter, nn.Parameter) for parameter in network._parameters.values())


@torch.no_grad()
def is_chain(network: Any, chain: Mapping[str, nn.Module], side: int = SMALL) -> bool:
    """Whether the chain is what the network itself does before its classifier.

    It is tried on an image of ``side`` pixels. Modules may hold their maps in several ways.
    """
    if holds_parameters(network):
        return False
    if any(parameter.is_meta for parameter in network.parameters()):
        return True
    images = torch.linspace(-1, 1, 3 * side * side).reshape(1, 3, side, side)
    kept: list[Any] = []
    last = list(chain.values())[-1] if chain else network
    training = network.training
    network.eval()
    hook = last.register_forward_hook(lambda module, inputs, output: kept.append(output))
    try:
        if hasattr(network, "forward_features"):
            expected = network.forward_features(images)
        else:
            network(images)
            expected = kept[-1]
        expected = to_maps(expected.clone(), layout_of(expected.shape))
        found = stage_of(list(links_of(chain, side).values()))(images)
        return found.shape == expected.shape and torch.allclose(found, expected)
    except (UserError, *WRONG_LAYOUT):
        return False
    finally:
        hook.remove()
        network.train(training)
