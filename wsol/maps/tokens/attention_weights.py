"""The attention weights of a network's blocks, and the keys they come from, while it is run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

# Layers in which every token attends to every token of the image, by timm's modules and class names.
# All of them pass their weights through `attn_drop`; Swin's, MaxViT's, XCiT's and CaiT's do not mean
# the same by them (windows, channels, heads that are mixed).
GLOBAL_ATTENTION = {
    ("timm.layers.attention", "Attention"),
    ("timm.layers.attention", "AttentionRope"),
    ("timm.models.vision_transformer", "Attention"),
    ("timm.models.vision_transformer_relpos", "RelPosAttention"),
    ("timm.models.beit", "Attention"),
    ("timm.models.eva", "EvaAttention"),
}


def attends_globally(layer: nn.Module | None) -> bool:
    """Whether the layer is a self-attention of timm in which every token attends to every token."""
    return (type(layer).__module__, type(layer).__name__) in GLOBAL_ATTENTION


@contextmanager
def weights_kept(layers: Sequence[nn.Module]) -> Iterator[list[Tensor]]:
    """Within the context a forward pass leaves each layer's attention weights in the list yielded.

    (N, heads, T, T), their rows sum to 1; in the order of ``layers``, each pass in place of the one
    before. They are what `attn_drop` gives out, in evaluation mode the softmax itself, and part of the
    graph where gradients are kept, also where every weight of the network is frozen.

    The fused attention of torch shows no weights: it is switched off on these layers, and comes back as
    it was, whatever happens.
    """
    kept: list[Tensor] = [torch.empty(0)] * len(layers)
    with _kept(layers, "attn_drop", kept), _unfused(layers):
        yield kept


@contextmanager
def keys_kept(layer: nn.Module) -> Iterator[list[Tensor]]:
    """Within the context a forward pass leaves the layer's keys, (N, heads, T, d), in the list of one.

    After the layer's own norm of keys, where it has one, and before any turning by position.
    """
    kept: list[Tensor] = [torch.empty(0)]
    with _kept([layer], "k_norm", kept):
        yield kept


@contextmanager
def _kept(layers: Sequence[nn.Module], child: str, kept: list[Tensor]) -> Iterator[None]:
    """What the layers' children of that name give out, in ``kept``."""

    def hook(number: int) -> Any:
        def keep(module: nn.Module, inputs: Any, output: Tensor) -> Tensor:
            if torch.is_grad_enabled() and not output.requires_grad:
                output = output.detach().requires_grad_()
            kept[number] = output
            return output

        return keep

    with ExitStack() as hooks:
        for number, layer in enumerate(layers):
            handle = layer.get_submodule(child).register_forward_hook(hook(number))
            hooks.callback(handle.remove)
        yield


@contextmanager
def _unfused(layers: Sequence[Any]) -> Iterator[None]:
    fused = [layer.fused_attn for layer in layers]
    try:
        for layer in layers:
            layer.fused_attn = False
        yield
    finally:
        for layer, own in zip(layers, fused, strict=True):
            layer.fused_attn = own
