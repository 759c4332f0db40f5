"""What a source of score maps is: a class with a name, read from a model's output or without a model."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from wsol.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

    from wsol.data.manifest.manifest import ManifestSplit
    from wsol.models.localizer import Localizer, LocalizerOutput

# For each image the columns of the logits that stand for its class: one, or several together.
Columns = Sequence[Sequence[int]]


class MapSource:
    """A source of score maps; the first line of its docstring is what ``wsol list maps`` prints.

    Args:
        name: how the source was named; the board writes it.
        argument: what follows ``:`` or ``=`` in the name; ``UserError`` where the source takes none.

    Attributes:
        takes_argument: whether a name may go on after ``:`` or ``=``.
        title: what tables call the source, where it is not its name.
        baseline: whether a localizer has to beat these maps: a table shows them in italics.
        beside: baselines, by name, without which these maps cannot be judged.
        needs_manifest: whether it reads what lies beside the manifest of a prepared data set.
    """

    takes_argument: ClassVar[bool] = False
    title: str = ""
    baseline: bool = False
    beside: tuple[str, ...] = ()
    needs_manifest: bool = False

    def __init__(self, name: str, argument: str = "") -> None:
        if argument and not self.takes_argument:
            raise UserError(f"map source {name!r} takes no argument: leave out {argument!r}")
        self.name, self.argument = name, argument

    def described(self) -> dict[str, Any]:
        """What a record keeps of a baseline, so that its reader need not import it; else nothing."""
        return {"source": {"title": self.title, "baseline": True}} if self.baseline else {}

    def of_images(self, images: ManifestSplit) -> None:
        """Be told which images are read; ``UserError`` where something is missing beside them."""

    def of_predicted_class(self) -> MapSource:
        """The same source read at the predicted class; ``UserError`` where it reads no class."""
        raise UserError(f"map source {self.name!r} reads no class: leave out @predicted")


class ModelMaps(MapSource):
    """Maps that are read from a localizer's output.

    Attributes:
        of_class: whose map it is: that of the ``true`` class, of the ``predicted`` one; None where the
            source knows no class.
        own_pass: whether it changes the network or needs gradients, so that no other source can be read
            from the same forward pass.
        gradients: whether the forward pass has to keep what a backward pass needs.
        gives_boxes: whether `read` gives boxes (N, 4) in shares of the image's sides, and no maps.
        per_cells: the power of the number of cells that a map's values fall with: 1 where a map shares
            one score out over its cells, as a gradient does, 0 where each cell has a score of its own,
            as in a class map.
        unmodified: why no modifier may read it of mirrored or resized images; empty where one may.
        named_by_network: whether only the network tells which maps the name stands for.
    """

    of_class: Literal["true", "predicted"] | None = None
    own_pass: bool = False
    gradients: bool = False
    gives_boxes: bool = False
    per_cells: int = 0
    unmodified: str = ""
    named_by_network: bool = False

    def of_predicted_class(self) -> ModelMaps:
        """The same source read at the predicted class; ``UserError`` where it reads no class."""
        if self.of_class is None:
            super().of_predicted_class()
        if self.of_class == "predicted":
            return self
        self.of_class, self.name = "predicted", f"{self.name}@predicted"
        return self

    def resolved(self, localizer: Localizer) -> ModelMaps:
        """The source under the full name that the board writes, e.g. the attention's default map."""
        return self

    def expanded(self, localizer: Localizer) -> list[ModelMaps]:
        """The sources that the name stands for: itself, or of a name such as ``cam@t=*`` several."""
        return [self.resolved(localizer)]

    def ready(self, localizer: Localizer) -> AbstractContextManager[Any]:
        """The state to read ``localizer`` in: hooks on, steps lowered. ``UserError`` if it cannot."""
        return nullcontext()

    def see(self, images: Tensor, image_ids: Sequence[str]) -> None:
        """Be shown the images (N, 3, H, W), normalised, that the next output is of."""

    def read(self, output: LocalizerOutput, columns: Columns) -> Tensor:
        """Maps (N, h, w) of one batch's output; ``columns`` is empty unless ``of_class`` is set."""
        raise TypeError(f"{type(self).__name__} reads no maps")


class ImageMaps(MapSource):
    """Maps that are read without a model.

    Attributes:
        exif: whether images are turned as their EXIF tag says, as the data set wants it; whoever reads
            maps sets it.
    """

    exif: bool = False

    def read(self, path: str, size: int) -> np.ndarray:
        """The map (h, w) of the image file ``path``, floats; or its mask, bool.

        ``size`` is the side in pixels of the square in which maps are compared.
        """
        raise TypeError(f"{type(self).__name__} reads no maps")
