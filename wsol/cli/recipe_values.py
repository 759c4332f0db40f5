"""The text of an option as a value: a YAML scalar or flow list; text stays text where text is wanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args, get_origin

import yaml

from wsol.errors import UserError
from wsol.recipe.yaml_file import parse_yaml


def is_list(hint: Any) -> bool:
    """Whether a field of this type is a list."""
    return get_origin(hint) in (Sequence, tuple)


def is_mapping(hint: Any) -> bool:
    """Whether a field of this type is a mapping: keys below it are the user's own."""
    return get_origin(hint) is Mapping


def read_value(text: str, hint: Any, key: str) -> Any:
    """``text`` as it is meant where ``hint`` is wanted; its type is not checked here.

    Where text is wanted it stays as given: ``none``, ``no`` and ``1`` are names. A list may be given
    bare, by commas.
    """
    if hint is str:
        return text
    if is_list(hint) and not text.startswith("["):
        members = [member.strip() for member in text.split(",")] if text else []
        return [read_value(member, get_args(hint)[0], key) for member in members]
    if text.startswith(("[", "{", "'", '"')) or (is_mapping(hint) and text):
        return _flow(text, hint, key)
    return _scalar(text)


def _flow(text: str, hint: Any, key: str) -> Any:
    # BaseLoader leaves every scalar the text it is: in [n01, no, 1] all are names.
    loader = yaml.BaseLoader if _innermost(hint) is str else yaml.SafeLoader
    try:
        return parse_yaml(text, loader)
    except (ValueError, yaml.YAMLError) as error:
        said = " ".join(str(error).split())
        raise UserError(f"command line: {key}: {text!r} is not YAML: {said}") from None


def _innermost(hint: Any) -> Any:
    while is_list(hint) or is_mapping(hint):
        hint = get_args(hint)[-1 if is_mapping(hint) else 0]
    return hint


def _scalar(text: str) -> Any:
    """A YAML scalar without quotes: a number, true, false, null, else the text."""
    if not text:
        return text
    loader = yaml.SafeLoader("")
    try:
        tag = loader.resolve(yaml.ScalarNode, text, (True, False))
        value = loader.construct_object(yaml.ScalarNode(tag, text))
    except (ValueError, yaml.YAMLError):
        return text
    # Dates, which YAML knows besides, are no values of a recipe.
    return value if value is None or isinstance(value, bool | int | float) else text
