"""The start of an attention module of one's own: a documented file and its test, which passes."""

from __future__ import annotations

import keyword
import re
from pathlib import Path

from wsol.errors import UserError, suggest
from wsol.files.atomic import write_text


def write_template(name: str, insertion: str, folder: Path | str) -> list[Path]:
    """Write ``<name>.py`` and ``test_<name>.py`` into ``folder``; returns the two paths.

    ``name`` is the module's file name, ``top_hat`` for the class ``TopHat``; ``insertion`` one of
    `BODIES`. ``UserError`` for a name that Python does not take, or where a file is there already.
    """
    if not re.fullmatch(r"[a-z_][a-z0-9_]*", name) or keyword.iskeyword(name):
        raise UserError(
            f"NAME {name!r} must be a Python module name in lower case, such as 'my_attention'"
        )
    if insertion not in BODIES:
        raise UserError(f"unknown insertion {insertion!r}{suggest(insertion, BODIES)}")
    paths = [Path(folder) / f"{name}.py", Path(folder) / f"test_{name}.py"]
    for path in paths:
        if path.exists():
            raise UserError(f"{path} is there already: choose another NAME or --output")
    class_name = "".join(word.capitalize() for word in name.split("_") if word) or "Attention"
    count = PARAMETERS[insertion]
    for path, text in zip(paths, (BODIES[insertion], TEST), strict=True):
        filled = text.replace("MODULE", name).replace("CLASS", class_name).replace("COUNT", count)
        write_text(path, filled)
    return paths


STAGE = '''"""CLASS: say in one sentence what it does (Authors, venue and year, arXiv number)."""

from __future__ import annotations

from torch import Tensor, nn

from wsol.attention.contract import Attended


class CLASS(nn.Module):
    """CLASS (Authors, year): what `wsol list` and the board's reader should know.

    This start is a gate a position from a 1x1 convolution: ``x * (1 + sigmoid(conv(x)))``.

    Args:
        channels: C of the features (N, C, h, w); the network gives it.
        bias: of the convolution. Any further argument is an option: `--attention.options.bias false`.
    """

    # After a whole stage; `at` is the default place: "-1" is the last stage, "stage4" that of stride 16.
    insertion = "stage"
    at = "-1"

    def __init__(self, channels: int, bias: bool = True) -> None:
        super().__init__()
        self.score = nn.Conv2d(channels, 1, 1, bias=bias)

    def forward(self, x: Tensor) -> Attended:
        """Features (N, C, h, w), the same shape, and the map of `--maps attention` (N, h, w)."""
        gate = self.score(x).sigmoid()
        return Attended(x * (1 + gate), gate[:, 0])
'''

BLOCK = '''"""CLASS: say in one sentence what it does (Authors, venue and year, arXiv number)."""

from __future__ import annotations

from torch import Tensor, nn


class CLASS(nn.Module):
    """CLASS (Authors, year): what `wsol list` and the board's reader should know.

    This start is a gate a channel from its spatial mean: ``x * sigmoid(layer(mean(x)))``. Return
    `wsol.attention.contract.Attended(features, map)` instead where the module has a map to show.

    Args:
        channels: C of the features (N, C, h, w); the network gives it.
        bias: of the layer. Any further argument is an option: `--attention.options.bias false`.
    """

    # Inside each residual block, before its shortcut; `at` names the stages whose blocks get it.
    insertion = "block"
    at = ("stage4", "stage5")

    def __init__(self, channels: int, bias: bool = True) -> None:
        super().__init__()
        self.layer = nn.Conv2d(channels, channels, 1, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """Features (N, C, h, w), same shape out."""
        return x * self.layer(x.mean(dim=(2, 3), keepdim=True)).sigmoid()
'''

FEEDBACK = '''"""CLASS: say in one sentence what it does (Authors, venue and year, arXiv number)."""

from __future__ import annotations

from torch import Tensor, nn

from wsol.attention.contract import Attended


class CLASS(nn.Module):
    """CLASS (Authors, year): what `wsol list` and the board's reader should know.

    This start lets the mean of a block's output weigh the channels of its input, and shows the channel
    mean of the result. The network runs the block again on it; `m` and `steps` are its options.

    Args:
        bottom_channels, top_channels: of the features that are gated, and of those that guide.
    """

    # Inside each residual block, from its output (top) back to its input (bottom).
    insertion = "feedback"
    at = ("-2", "-1")

    def __init__(self, bottom_channels: int, top_channels: int) -> None:
        super().__init__()
        self.guide = nn.Conv2d(top_channels, bottom_channels, 1)

    def forward(self, bottom: Tensor, top: Tensor) -> Attended:
        """Bottom (N, Cb, h, w) and top (N, Ct, h2, w2) to a new bottom and a map (N, h, w)."""
        gated = bottom * self.guide(top.mean(dim=(2, 3), keepdim=True)).sigmoid()
        return Attended(gated, gated.mean(dim=1))
'''

HEAD = '''"""CLASS: say in one sentence what it does (Authors, venue and year, arXiv number)."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from wsol.attention.contract import HeadOutput


class CLASS(nn.Module):
    """CLASS (Authors, year): what `wsol list` and the board's reader should know.

    This start weighs the positions of the last tap and classifies their mean; the class maps average to
    the logits.

    Args:
        stage_channels: name to channels of each tap, shallow first.
        num_classes: K.
    """

    # In the place of the classifier; `at` names the stages it taps.
    insertion = "head"
    at = "-1"

    def __init__(self, stage_channels: Mapping[str, int], num_classes: int) -> None:
        super().__init__()
        self.tap, channels = list(stage_channels.items())[-1]
        self.score = nn.Conv2d(channels, 1, 1)
        self.classifier = nn.Conv2d(channels, num_classes, 1)

    def forward(self, stages: Mapping[str, Tensor]) -> HeadOutput:
        """Taps (N, C, h, w) to logits (N, K), class maps (N, K, h, w) and maps (N, h, w)."""
        gate = self.score(stages[self.tap]).sigmoid()
        class_maps = self.classifier(stages[self.tap]) * gate
        return HeadOutput(class_maps.mean(dim=(2, 3)), class_maps, {self.tap: gate[:, 0]})
'''

TEST = '''"""CLASS keeps the contract; add here what its paper says, such as a parameter count."""

from __future__ import annotations

from MODULE import CLASS
from wsol.check.module_checks import check_contract
from wsol.check.module_under_check import ModuleUnderCheck

# The places it sits at and the features it meets there: (channels, height, width).
CHECKED = ModuleUnderCheck("MODULE:CLASS", CLASS, {"stage5": (64, 14, 14)})


def test_contract():
    assert [finding.line for finding in check_contract(CHECKED) if not finding.passed] == []


def test_parameters():
    assert sum(parameter.numel() for parameter in CHECKED.build().parameters()) == COUNT
'''

BODIES = {"stage": STAGE, "block": BLOCK, "feedback": FEEDBACK, "head": HEAD}

# Of those starts at 64 channels (a feedback bottom has 16, a head 5 classes), by weights and biases.
PARAMETERS = {
    "stage": "64 + 1",
    "block": "64 * 64 + 64",
    "feedback": "64 * 16 + 16",
    "head": "64 + 1 + 64 * 5 + 5",
}
