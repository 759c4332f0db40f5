"""Whose map is whose: the classes of a data set as columns of a model's logits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from wsol.errors import UserError, suggest


def class_columns(
    model_keys: Sequence[str], class_keys: Sequence[str], groups: Mapping[str, Sequence[str]]
) -> list[list[int]]:
    """The model's logits of each class of the data set; ``UserError`` for a class it lacks."""
    if not model_keys:
        return [[label] for label in range(len(class_keys))]
    column = {key: index for index, key in enumerate(model_keys)}
    unknown = [key for key in groups if key not in class_keys]
    if unknown:
        raise UserError(f"evaluation.classes: no class {unknown[0]!r}{suggest(unknown[0], class_keys)}")
    if lacking := lacking_classes(model_keys, class_keys, groups):
        raise UserError(
            f"the model lacks {len(lacking)} of the data set's {len(class_keys)} classes, "
            f"e.g. {lacking[0]!r}: say by --classes, or evaluation.classes of a recipe, which of the "
            "model's stand for it"
        )
    return [[column[name] for name in groups.get(key, [key])] for key in class_keys]


def lacking_classes(
    model_keys: Sequence[str], class_keys: Sequence[str], groups: Mapping[str, Sequence[str]]
) -> list[str]:
    """The classes of the data set that neither are the model's nor stand for some of the model's."""
    known = set(model_keys)
    wanted = {key: groups.get(key, [key]) for key in class_keys}
    return [key for key, own in wanted.items() if not own or not known.issuperset(own)]
