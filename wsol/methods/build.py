"""A recipe's training method around its localizer, in training and when a run is opened again."""

from __future__ import annotations

from collections.abc import Sequence

from wsol.errors import UserError, blamed_on
from wsol.methods import METHODS
from wsol.methods.contract import TrainingMethod
from wsol.models.factory import build_localizer
from wsol.models.localizer import Localizer
from wsol.recipe import Recipe
from wsol.registry import check_options


def build_method(recipe: Recipe, localizer: Localizer) -> TrainingMethod:
    """The method that ``recipe.method`` names, around ``localizer``.

    ``training.label_smoothing``, where it is not 0, is passed on as the option of that name.

    Raises:
        UserError: an unknown name; an option that is not in the class's signature, or one that it needs;
            a class without a step of its own.
    """
    chosen = METHODS.get(recipe.method.name)
    options = dict(recipe.method.options)
    if recipe.training.label_smoothing:
        options.setdefault("label_smoothing", recipe.training.label_smoothing)
    check_options("method", chosen, options, given=1)
    if chosen.step is TrainingMethod.step:
        raise UserError(f"method {chosen.__name__} has no step(images, labels, turn): write one")
    if chosen.needs_boxes != bool(recipe.training.boxed_images):
        raise UserError(
            f"method {recipe.method.name} learns boxes: set training.boxed_images, images a class of val"
            if chosen.needs_boxes
            else f"training.boxed_images shows boxes, and method {recipe.method.name} looks at none: "
            "take method boxes, or leave it out"
        )
    with blamed_on(f"method {recipe.method.name} cannot be built"):
        return chosen(localizer, **options)


def trained_localizer(recipe: Recipe, class_keys: Sequence[str]) -> Localizer:
    """The localizer that takes the weights of a finished run of ``recipe``; they are still to be loaded.

    It is the method's ``trained()``, which may have branches or buffers that the bare localizer has not.
    ``UserError`` as from `build_localizer` and `build_method`.
    """
    localizer = build_localizer(recipe, len(class_keys), class_keys, load_weights=False)
    return build_method(recipe, localizer).trained()
