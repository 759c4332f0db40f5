"""Networks of tokens (ViT, Swin, MLP-Mixer), which have no maps of channels to put attention on."""

from __future__ import annotations

from torch import nn

from wsol.errors import UserError

# Layers that mix positions as a list of tokens, by what their class names hold.
MIXERS = ("WindowAttention", "MultiheadAttention", "MultiHeadAttention", "AttentionCl", "MixerBlock")


def refuse_tokens(name: str, network: nn.Module) -> None:
    """``UserError`` where the network's layers attend to tokens, or keep channels last."""
    found = next((kind for kind in map(_token_layer, network.modules()) if kind), "")
    if found:
        raise UserError(
            f"backbone {name} works on tokens, not maps ({found}); token networks come later: choose a "
            "convolutional one of `wsol list backbones`"
        )


def _token_layer(module: nn.Module) -> str:
    kind = type(module)
    attends = kind.__name__ == "Attention" and kind.__module__.startswith("timm.")
    if attends or any(mixer in kind.__name__ for mixer in MIXERS):
        return kind.__name__
    # MLP networks hold a list of blocks of vectors: linear layers over positions.
    return kind.__name__ if kind.__module__ == "timm.models.mlp_mixer" else ""
