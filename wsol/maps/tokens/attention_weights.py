"""What happens in a token network's blocks while it is run: attention weights, keys, tokens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn


@contextmanager
def weights_kept(layers: Sequence[nn.Module]) -> Iterator[list[Tensor]]:
    """Within the context a forward pass leaves each layer's attention weights in the list yielded.

    ``layers`` are timm's plain attentions (`TokenNetwork.plain_attention`). (N, heads, T, T), rows sum
    to 1; in the order of ``layers``, each pass in place of the one before. They are what ``attn_drop``
    gives out, in evaluation mode the softmax itself, and part of the graph where gradients are kept,
    also where every parameter of the network is frozen.

    The fused attention of torch shows no weights: it is switched off on these layers, and comes back as
    it was, whatever happens.
    """
    with outputs_kept([layer.get_submodule("attn_drop") for layer in layers]) as kept, _unfused(layers):
        yield kept


@contextmanager
def keys_kept(layer: nn.Module) -> Iterator[list[Tensor]]:
    """Within the context a forward pass leaves the layer's keys, (N, heads, T, d), in the list of one.

    After the layer's own norm of keys, where it has one, and before any turning by position.
    """
    with outputs_kept([layer.get_submodule("k_norm")]) as kept:
        yield kept


@contextmanager
def outputs_kept(modules: Sequence[nn.Module]) -> Iterator[list[Tensor]]:
    """Within the context a forward pass leaves the output of each of the modules in the list yielded."""
    kept: list[Tensor] = [torch.empty(0)] * len(modules)

    def hook(number: int) -> Any:
        def keep(module: nn.Module, inputs: Any, output: Tensor) -> Tensor:
            if torch.is_grad_enabled() and not output.requires_grad:
                output = output.detach().requires_grad_()
            kept[number] = output
            return output

        return keep

    with ExitStack() as hooks:
        for number, module in enumerate(modules):
            hooks.callback(module.register_forward_hook(hook(number)).remove)
        try:
            yield kept
        finally:
            kept.clear()  # or the graph of the last pass would live as long as who asked


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
