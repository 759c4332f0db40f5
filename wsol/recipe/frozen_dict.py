"""A dictionary that cannot be changed, for the mappings of a recipe."""

from __future__ import annotations

from typing import Any, NoReturn, TypeVar

import yaml
from yaml.representer import SafeRepresenter

Key = TypeVar("Key")
Value = TypeVar("Value")


class FrozenDict(dict[Key, Value]):
    """A ``dict`` without the methods that change it; hashable where its values are.

    It is a ``dict``, so that it compares equal to one and goes into JSON as one does.
    ``types.MappingProxyType`` does not, nor does it pickle, as processes that load images need.
    """

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("a recipe's mappings are read-only: make a new one with dataclasses.replace")

    __setitem__ = __delitem__ = __ior__ = clear = pop = popitem = _refuse
    setdefault = update = _refuse  # pyright: ignore[reportAssignmentType]

    def __hash__(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride]
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[Any, ...]:
        # A subclass of dict is pickled and copied item by item, which is refused here.
        return type(self), (dict(self),)


# PyYAML looks up its exact type.
yaml.SafeDumper.add_representer(FrozenDict, SafeRepresenter.represent_dict)
