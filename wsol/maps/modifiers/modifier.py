"""What a modifier is: a source of maps that reads another one, of changed copies of the images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from torch import Tensor

from wsol.data.manifest.manifest import ManifestSplit
from wsol.errors import UserError
from wsol.maps import MODIFIED, PREDICTED
from wsol.maps.contract import Columns, MapSource, ModelMaps
from wsol.models.localizer import Localizer, LocalizerOutput


class MapModifier(ModelMaps):
    """A source of a model's maps, modified. Logits and the predicted class stay the plain image's.

    The first line of a subclass's docstring is what ``wsol list maps`` prints.

    Args:
        source: what is modified: any source of a model's maps, a modified one too.
        modifier: how it was named after the ``+``, argument and all.
        argument: what follows ``:`` in that name; `argument_of` checks it.

    Raises:
        UserError: a source that cannot be read of changed images, or is modified so already.
    """

    own_pass = True

    def __init__(self, source: MapSource, modifier: str, argument: str = "") -> None:
        # One source may have several, and what they say of themselves is written once: a source's name
        # ends with the class it reads, wherever that was typed.
        plain = source.name.removesuffix(PREDICTED)
        name = f"{plain}{MODIFIED}{modifier}{source.name[len(plain) :]}"
        super().__init__(name, argument)
        self.source, self.modifier = _modifiable(source, name), modifier
        if any(isinstance(one, type(self)) for one in _chain(self.source)):
            raise UserError(f"map source {name!r}: the same modifier twice")
        self.of_class, self.gradients = self.source.of_class, self.source.gradients
        self.per_cells, self.named_by_network = self.source.per_cells, self.source.named_by_network
        self.baseline, self.beside = source.baseline, source.beside
        self.title = source.title and f"{source.title} {MODIFIED} {modifier}"

    def of_predicted_class(self) -> ModelMaps:
        """The same maps at the predicted class; ``UserError`` where the source reads no class."""
        return type(self)(self.source.of_predicted_class(), self.modifier, self.argument)

    def resolved(self, localizer: Localizer) -> ModelMaps:
        """With the source under its full name."""
        return type(self)(self.source.resolved(localizer), self.modifier, self.argument)

    def expanded(self, localizer: Localizer) -> list[ModelMaps]:
        """The sources that the name stands for, each modified."""
        several = self.source.expanded(localizer)
        return [type(self)(one, self.modifier, self.argument) for one in several]

    def of_images(self, images: ManifestSplit) -> None:
        """Tell the source, too."""
        self.source.of_images(images)

    @contextmanager
    def ready(self, localizer: Localizer) -> Iterator[None]:
        """The source's own state."""
        self._localizer = localizer
        with self.source.ready(localizer):
            yield

    def see(self, images: Tensor, image_ids: Sequence[str]) -> None:
        """Keep the images, of which copies are made, and show them to the source."""
        self._images, self._ids = images, image_ids
        self.source.see(images, image_ids)

    def of_copies(self, images: Tensor, columns: Columns) -> Tensor:
        """The source's maps (N, h, w) of changed copies (N, 3, H', W') of the images, by a pass more.

        The source sees the copies from then on: read the plain output before.
        """
        self.source.see(images, self._ids)
        return self.source.read(self._localizer(images), columns)

    def read(self, output: LocalizerOutput, columns: Columns) -> Tensor:
        """Maps (N, h, w), ``output`` being that of the plain images."""
        raise TypeError(f"{type(self).__name__} reads no maps")


def _modifiable(source: MapSource, name: str) -> ModelMaps:
    """``source`` if a modifier may read it; else ``UserError``."""
    if not isinstance(source, ModelMaps):
        why = "it reads no model"
    elif source.gives_boxes:
        why = "it gives boxes and no maps"
    else:
        why = source.unmodified
    if why or not isinstance(source, ModelMaps):
        raise UserError(f"map source {name!r}: {source.name} takes no modifier: {why}")
    return source


def _chain(source: ModelMaps) -> Iterator[ModelMaps]:
    """The source, and what it modifies."""
    yield source
    if isinstance(source, MapModifier):
        yield from _chain(source.source)
