"""The parts of a recipe: what each says, and what it is where nothing is said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wsol.errors import UserError
from wsol.recipe.checking import CheckedSettings
from wsol.recipe.fields import at_least, between, later, not_hashed, of_scoring, plain
from wsol.recipe.frozen_dict import FrozenDict

# Far beyond use, and small enough that what is allocated for them fails with words.
LARGEST_SIDE, LARGEST_BATCH = 2**14, 2**16
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class DataSettings(CheckedSettings, part="data"):
    """Which images, and how they reach the network.

    Attributes:
        name: data set name, as in the manifest.
        manifest: folder of the manifest; empty means ``manifests/<name>``.
        input_size: side in pixels of the square the network sees (test images are squashed to it).
        resize_size: training images are squashed to this side, then cropped to ``input_size`` at a
            random place; the same number as ``input_size`` means no crop.
        flip: flip training images left to right half of the time.
        reduced_decode: decode a large JPEG at 1/2, 1/4 or 1/8 where both sides stay twice what they are
            squashed to. Quicker on large photographs, but pixels differ by a few levels from the
            reference's, so it is a row of its own.
    """

    name: str = "clutter"
    manifest: str = not_hashed("")
    input_size: int = between(16, LARGEST_SIDE, 224)
    resize_size: int = between(16, LARGEST_SIDE, 256)
    flip: bool = True
    reduced_decode: bool = later(False)


@dataclass(frozen=True)
class WeightsSettings(CheckedSettings, part="weights"):
    """Where the backbone's weights come from, and the conventions they were trained with.

    Attributes:
        name: what the board calls them: ``none``, ``torchvision`` or ``timm`` for the library's own
            ImageNet weights, any label for a file.
        file: a ``.safetensors`` or ``.pth`` file.
        sha256: of the file; filled in when the run starts, checked when it is given.
        format: key names in the file: ``native``, ``tdam`` or ``wsolevaluation``.
        mean: subtracted from RGB in [0, 1].
        std: what is left is divided by it.
        tag: which of the library's weights: ``resnet50.tv_in1k`` in timm, ``IMAGENET1K_V1`` in
            torchvision; empty: timm's default ones, torchvision's first. The run fills it in, in full.
        key: which weights of a file that holds several: ``teacher``, ``state_dict_ema``; a path with
            dots, to a table of tensors or a prefix of their names; empty: the first by a fixed order.
    """

    name: str = "none"
    file: str = not_hashed("")
    sha256: str = ""
    format: str = "native"
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = at_least(1e-6, IMAGENET_STD)
    tag: str = later("")
    key: str = later("")


@dataclass(frozen=True)
class BackboneSettings(CheckedSettings, part="backbone"):
    """The network under the attention and the head.

    Attributes:
        name: a timm or torchvision network, or one of ``wsol list backbones``.
        strides: stage name to stride: ``{"stage5": 1}`` for larger maps (nothing is dilated).
        options: arguments of the network's constructor: ``{"pad_type": "same"}``.
    """

    name: str = "resnet50"
    strides: Mapping[str, int] = at_least(1, FrozenDict())
    options: Mapping[str, Any] = FrozenDict()


@dataclass(frozen=True)
class AttentionSettings(CheckedSettings, part="attention"):
    """The attention module.

    Attributes:
        name: a registered name, ``package.module:Class``, or ``none``.
        at: stage or stages (blocks: ``stage5.0``) it is inserted at, ``input`` or ``head``; empty means
            the class's own default.
        options: arguments of the class, checked against its signature.
    """

    name: str = "none"
    at: Sequence[str] = ()
    options: Mapping[str, Any] = FrozenDict()

    @property
    def label(self) -> str:
        """The name on the board: ``tdam``, or ``tdam(gating=top,steps=3)@stage4`` off default."""
        place = "@" + "+".join(self.at) if self.at else ""
        return _with_options(self.name, self.options) + place


def _with_options(name: str, options: Mapping[str, Any]) -> str:
    # Lists as recipes write them: a label on the board does not change its brackets.
    told = ",".join(f"{key}={plain(value)}" for key, value in sorted(options.items()))
    return name + (f"({told})" if told else "")


@dataclass(frozen=True)
class HeadSettings(CheckedSettings, part="head"):
    """The classifier on top.

    Attributes:
        name: ``cam``, ``cam_relu``, ``cam_conv``, ``cam_conv2``, ``native``, ``class_token`` or
            ``classifier``. ``cam``: 1x1 convolution, then global average pooling. ``cam_relu``: a ReLU
            on the class maps besides (SqueezeNet's). ``cam_conv``: a 3x3 convolution to ``width``
            channels and ReLU before it, ``cam_conv2``: two with dropout (wsolevaluation's VGG16 and
            InceptionV3). ``native``: the classifier of the library or of the weights file, where it is a
            CAM head. ``class_token``: a linear layer on a ViT's class token. ``classifier``: the
            library's own, whatever it reads; no class maps.
            A `head` attention replaces it.
        width: channels of the 3x3 convolutions.
        dropout: of ``cam_conv2``, around and between its convolutions; wsolevaluation's ADL has none.
    """

    name: str = "cam"
    width: int = between(1, 2**16, 1024)
    dropout: float = later(0.5, least=0, most=0.99)


@dataclass(frozen=True)
class MethodSettings(CheckedSettings, part="method"):
    """The training method: how a batch becomes a loss.

    Attributes:
        name: a registered name or ``package.module:Class``.
        options: arguments of the method.
    """

    name: str = "cam"
    options: Mapping[str, Any] = FrozenDict()

    @property
    def label(self) -> str:
        """The name on the board: ``dreal``, or ``dreal(reward=scal)`` off default."""
        return _with_options(self.name, self.options)


@dataclass(frozen=True)
class TrainingSettings(CheckedSettings, part="training"):
    """Optimisation.

    Attributes:
        epochs: times that the training images are seen; 0 scores the weights as they are.
        batch_size: images a step.
        optimizer: ``sgd`` or ``adamw``.
        lr: learning rate of the backbone.
        attention_lr: learning rate of the attention (0: ``lr``). Attention that is the head (LTPA)
            counts as head, norms of later steps (TDAM) as attention.
        head_lr: learning rate of the head (0: ``lr``).
        momentum: of ``sgd``.
        nesterov: whether that momentum is Nesterov's.
        weight_decay: of all parameters alike, norms and biases included, as in wsolevaluation; AdamW
            multiplies it by each part's own rate.
        schedule: ``step`` (times ``gamma`` at each epoch of ``milestones``) or ``cosine`` (to zero).
        milestones: epochs at which ``step`` lowers the learning rates.
        gamma: factor of ``step``.
        warmup_epochs: epochs over which the learning rates rise to what they are.
        label_smoothing: share of the target that is spread over all classes.
        precision: ``32-true``, ``bf16-mixed`` or ``16-mixed``.
        channels_last: keep feature maps in memory with their channels last.
        selection: the checkpoint that is scored: ``last``, ``val_cls`` or ``val_loc`` (the best of val).
        images_per_class: train on the first so many images of each class; 0 means all.
        head_from: stage from which on the backbone trains at ``head_lr`` too; empty: none.
            wsolevaluation's ResNet50 does so from layer4 on.
        folds: cross-fit a data set without a train split: cut its test images into so many folds, and
            score each by a network trained on the others (0: train on train).
        boxed_images: train on so many images a class of val, with their boxes, in place of train: a
            bound, with method ``boxes`` (0: train on train, by labels alone).
        freeze: ``backbone``: the network stays as it is, statistics too, and attention and head are
            trained; empty: nothing is frozen. Stages from ``head_from`` on are trained still.
        cache_features: compute a frozen network's last features once for each training image, and train
            the head on these: the same numbers up to rounding.
    """

    epochs: int = between(0, 10**6, 50)
    batch_size: int = between(1, LARGEST_BATCH, 32)
    optimizer: str = "sgd"
    lr: float = at_least(0, 0.001)
    attention_lr: float = at_least(0, 0.0)
    head_lr: float = at_least(0, 0.0)
    momentum: float = between(0, 1, 0.9)
    nesterov: bool = True
    weight_decay: float = at_least(0, 1e-4)
    schedule: str = "step"
    milestones: Sequence[int] = at_least(1, ())
    gamma: float = between(0, 1, 0.1)
    warmup_epochs: int = at_least(0, 0)
    label_smoothing: float = between(0, 1, 0.0)
    precision: str = "32-true"
    channels_last: bool = False
    selection: str = "last"
    images_per_class: int = at_least(0, 0)
    head_from: str = later("")
    folds: int = later(0, least=0)
    boxed_images: int = later(0, least=0)
    freeze: str = later("")
    cache_features: bool = not_hashed(False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if 0 < self.epochs < self.warmup_epochs:
            raise UserError(
                f"training.warmup_epochs is {self.warmup_epochs}, more than training.epochs "
                f"({self.epochs}): the learning rates would never be what they should"
            )
        if list(self.milestones) != sorted(set(self.milestones)):
            raise UserError(
                f"training.milestones is {','.join(map(str, self.milestones))}: epochs must rise"
            )


@dataclass(frozen=True)
class EvaluationSettings(CheckedSettings, part="evaluation"):
    """How the run is scored. Not part of what was trained: one run may be scored in many ways.

    Attributes:
        split: ``test`` or ``val``.
        maps: score map sources, one record each (``wsol list maps``).
        protocol: a registered protocol.
        thresholds: ``oracle``, ``val`` or ``fixed:<t>``; empty means the protocol's own.
        step: of the threshold grid; 0.0001 or more where masks are scored.
        batch_size: images a forward pass; changes float rounding, hence part of the identity.
        classes: the data set's class key to the model's keys that stand for it, where their classes
            differ: ``{"Horse": ["n02389026"]}``. The map is the mean of theirs.
        masks: score masks too where there are any; their histograms take most of a record's bytes.
        faithfulness: ask the network what it makes of the image where a map's highest pixels are taken
            away, and where they alone are shown: about 80 more forward passes an image and source.
    """

    split: str = of_scoring("test")
    maps: Sequence[str] = of_scoring(("cam",))
    protocol: str = of_scoring("choe2020")
    thresholds: str = of_scoring("")
    step: float = of_scoring(0.001)
    batch_size: int = between(1, LARGEST_BATCH, 32)
    classes: Mapping[str, Sequence[str]] = later(FrozenDict())
    masks: bool = later(True)
    faithfulness: bool = later(False)


@dataclass(frozen=True)
class How(CheckedSettings, part="how"):
    """Where and how fast: what a method is does not depend on it, and no row is told apart by it.

    Another device, and on a CPU another number of threads, adds the same numbers up in another order:
    the last digits differ, and training carries that on. A run repeats at the same number of threads.

    Attributes:
        device: ``auto``, ``cpu``, ``cuda``.
        threads: of torch on a CPU, a process. The same on every machine unless it is given, and whatever
            ``OMP_NUM_THREADS`` says: torchrun sets that.
        workers: processes that load images.
        runs: folder of checkpoints.
        results: folder of records and boards.
    """

    device: str = "auto"
    threads: int = between(1, 1024, 1)
    workers: int = between(0, 1024, 2)
    runs: str = "runs"
    results: str = "results"
