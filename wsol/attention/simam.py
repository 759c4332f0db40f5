"""SimAM, a parameter-free attention module (Yang et al., ICML 2021)."""

from __future__ import annotations

from torch import Tensor, nn

from wsol.attention.contract import EVERY_STAGE, Attended
from wsol.attention.decisions import decide


class SimAM(nn.Module):
    """SimAM (Yang et al., ICML 2021): gates by the deviation from the channel's mean.

    The gate is ``sigmoid(d / (4 (v + lambda)) + 0.5)`` with d the squared deviation from the channel's
    spatial mean and v its variance over h w - 1. No parameters. The map shown is the gate.

    Args:
        channels: C of the features (N, C, h, w); unused, as the module has no weights.
        e_lambda: lambda, which keeps flat channels finite.
    """

    insertion = "block"
    at = EVERY_STAGE
    # Released code (ResNet, MobileNetV2): after the last 3x3 or depthwise convolution, before its norm.
    gates = "convolution"

    # 1e-4 is the released module's default; the authors' ImageNet models are named after lambda 0.1.
    def __init__(self, channels: int, e_lambda: float = 1e-4) -> None:
        super().__init__()
        self.e_lambda = e_lambda

    def forward(self, x: Tensor) -> Attended:
        """Features (N, C, h, w) and gates (N, C, h, w) in (0.5, 1)."""
        deviation = (x - x.mean(dim=(2, 3), keepdim=True)).square()
        # A 1x1 map has no variance; the gate is then sigmoid(0.5).
        variance = deviation.sum(dim=(2, 3), keepdim=True) / max(1, x.shape[2] * x.shape[3] - 1)
        gate = (deviation / (4 * (variance + self.e_lambda)) + 0.5).sigmoid()
        gate = decide(self, gate, x)
        return Attended(x * gate, gate)
