"""Attention that does nothing to features, and what a test asks for to the process it trains in."""

import os
import signal
from pathlib import Path

import torch
from torch import nn


class Gate(nn.Module):
    """Identity. Before step ``step`` of a training:

    - ``act`` "die" kills the process, "raise" raises, "refuse" raises what users can mend;
    - "wait", where GATE names a folder, opens its pipe ``reached`` for good and waits for ``go``; once a
      process.
    """

    insertion = "stage"
    starts_as_identity = True
    waited = False

    def __init__(self, channels: int, act: str = "", step: int = 0):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))
        self.act, self.step, self.steps = act, step, 0

    def forward(self, x):
        if self.training and torch.is_grad_enabled() and x.device.type != "meta":
            if self.steps == self.step:
                self._do()
            self.steps += 1
        return x * self.scale

    def _do(self):
        if self.act == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.act == "raise":
            raise RuntimeError("a mistake in a module")
        if self.act == "refuse":
            from wsol.errors import UserError

            raise UserError("this cannot be trained")
        folder = os.environ.get("GATE")
        if self.act == "wait" and folder and not Gate.waited:
            Gate.waited = True
            # Open until the process ends: a reader is told when the last one that has it is gone.
            os.write(os.open(Path(folder) / "reached", os.O_WRONLY), b".")
            with (Path(folder) / "go").open() as go:
                go.read()
