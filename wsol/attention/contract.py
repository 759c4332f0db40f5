"""What an attention module is: four insertion points, one class attribute each.

A module subclasses ``torch.nn.Module`` and sets

- ``insertion``: ``"stage"`` (default), ``"block"``, ``"feedback"`` or ``"head"``;
- ``at``: the default place or places, by stage name (``"stage4"``; ``"-1"`` for the last, ``"-2"`` for
  the one before it); a block or feedback module may name single blocks too (``"stage4.0"``). Stage
  numbers speak of a network of five; one with fewer counts from its end and skips those before it;
- ``gates`` (optional, of a block module): which features of the block it gates, one of `GATED`;
- ``identity_start`` (optional): True where a fresh module changes nothing;
- ``default_map`` (optional, on the class or on the instance): which of its own maps ``--maps attention``
  reads; without it the last one of the network;
- ``attended(self, stages) -> Tensor`` (optional, of a head module): what its classifier gets of these
  stages, (N, D), for what is learnt on attended features elsewhere; without it the average of the last
  features;
- ``parameters_without_gradient(self) -> set[str]`` (optional): names of parameters that get
  no gradient by design, such as g under LTPA's softmax.

A module that passes each gate through `wsol.attention.decisions.decide` can be trained by methods that
judge what its decisions are worth, such as DREAL.

Signatures, all features (N, C, h, w):

- stage: ``Module(channels, **options)``; ``forward(x) -> x`` or `Attended`; or
  `wsol.attention.warps.Warped`, where the features were sampled at other places. At the place ``input``
  it gets the images, 3 channels.
- block: ``Module(channels, **options)``; a gate inside each residual block before the shortcut is added.
- feedback: ``Module(bottom_channels, top_channels, **options)``; ``forward(bottom, top) -> bottom`` or
  `Attended`; `wsol.models.insertion.feedback_block` owns the loop over steps and the per-step norms, and
  takes the options of `FEEDBACK_OPTIONS`, which every feedback module so has without naming them.
- head: ``Module(stage_channels: dict[str, int], num_classes, **options)``; ``forward(stages: dict[str,
  Tensor]) -> HeadOutput``. Its ``at`` names the stages it taps: both dictionaries hold them, shallow
  first. Where the network goes on after the last of them, its vector of the whole image (N, C, 1, 1)
  follows under ``GLOBAL``: its own where it makes one (LTPA's VGG), else the last features' average.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from torch import Tensor, nn

from wsol import registry
from wsol.errors import UserError, suggest

INSERTIONS = ("stage", "block", "feedback", "head")

# Options of every feedback module that its wrapper reads: the distance and the number of steps.
FEEDBACK_OPTIONS = ("m", "steps")

# Places of a gate that goes into every residual block, as in the papers' ResNets: all but the stem.
EVERY_STAGE = ("stage2", "stage3", "stage4", "stage5")

# What a block module may gate: the branch's output, after its last norm; the output of its last
# convolution wider than 1x1, before that one's norm; or, in an inverted residual, the expanded features
# before the projection (in other blocks the branch).
GATED = ("branch", "convolution", "expansion")

# The name under which a head gets the network's vector of the whole image.
GLOBAL = "global"

# The place before the first stage, of a stage module that sees the image itself.
INPUT = "input"

# The place inside a CAM head, of a stage module: after the head's own convolutions.
HEAD = "head"

# Maps a module shows of itself: one map, or several by name.
Maps = Tensor | Mapping[str, Tensor]


class Attended(NamedTuple):
    """Features (N, C, h, w) and the module's own attention, (N, h, w) or (N, C, h, w), or several."""

    features: Tensor
    attention: Maps


class HeadOutput(NamedTuple):
    """Logits (N, K), class maps (N, K, h, w) or None, attention maps {name: (N, h, w)}."""

    logits: Tensor
    class_maps: Tensor | None
    attention: Mapping[str, Tensor]


def check_is_module(name: str, module_class: object) -> None:
    """``UserError`` where what ``name`` names is no class of modules."""
    if not (isinstance(module_class, type) and issubclass(module_class, nn.Module)):
        raise UserError(f"attention {name} is {module_class!r}: expected a subclass of torch.nn.Module")


def insertion_of(module_class: type[nn.Module]) -> str:
    """Where the class goes; ``UserError`` for a point that does not exist."""
    insertion = getattr(module_class, "insertion", "stage")
    if insertion not in INSERTIONS:
        raise UserError(
            f"{module_class.__name__}.insertion is {insertion!r}{suggest(str(insertion), INSERTIONS)}"
        )
    return insertion


def gated_by(module_class: type[nn.Module]) -> str:
    """Which features of a block the class gates; ``UserError`` for none of `GATED`."""
    gates = getattr(module_class, "gates", GATED[0])
    if gates not in GATED:
        raise UserError(f"{module_class.__name__}.gates is {gates!r}{suggest(str(gates), GATED)}")
    return gates


def default_places(module_class: type[nn.Module]) -> tuple[str, ...]:
    """The class's default ``at`` as a tuple of stage names; the last stage where it says nothing."""
    at = getattr(module_class, "at", "-1")
    return (at,) if isinstance(at, str) else tuple(at)


def stage_of(place: str, stages: Iterable[str]) -> str:
    """The stage that ``place`` names among ``stages`` (shallow first): itself, or counted from the end.

    Raises:
        UserError: there is no such stage; the line lists those there are.
    """
    names = list(stages)
    if place in names:
        return place
    if place.removeprefix("-").isdecimal() and -len(names) <= int(place) < 0:
        return names[int(place)]
    raise UserError(f"no stage {place!r} in this network{suggest(place, names)}")


def check_options(module_class: type[nn.Module], options: Mapping[str, object]) -> None:
    """``UserError`` when an option is not in the class's signature (nor its wrapper's, for feedback), or
    the class has no ``forward``.
    """
    insertion = insertion_of(module_class)
    # Of what the network gives: channels, or bottom and top channels, or stage channels and classes.
    given = 2 if insertion in ("feedback", "head") else 1
    more = FEEDBACK_OPTIONS if insertion == "feedback" else ()
    registry.check_options("attention", module_class, options, given, more)
    if module_class.forward is nn.Module.forward:
        raise UserError(f"attention {module_class.__name__} has no forward(features): write one")


def channel_mean(attention: Tensor) -> Tensor:
    """A (N, C, h, w) attention as the one map (N, h, w) that is shown and scored."""
    return attention.mean(dim=1) if attention.dim() == 4 else attention


def declared_without_gradient(network: nn.Module) -> set[str]:
    """Names of the parameters that the modules of ``network`` declare to get no gradient by design."""
    names = set()
    for prefix, module in network.named_modules():
        declare = getattr(module, "parameters_without_gradient", None)
        if declare is not None:
            names |= {f"{prefix}.{name}" if prefix else name for name in declare()}
    return names
