"""One registry class for everything that is chosen by name."""

from __future__ import annotations

import ast
import importlib
import inspect
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from inspect import Parameter
from pathlib import Path
from typing import Any, Generic, TypeVar

from wsol.errors import UserError, suggest

T = TypeVar("T")


class Registry(Generic[T]):
    """Names to things, imported when asked for.

    An entry is an object or a ``"package.module:attribute"`` string, which is imported on first
    use, so that listing names costs nothing. Whoever asks may give such a string in place of a
    name: a user's own class needs no change here.

    Args:
        kind: what messages call an entry.
        subclass_of, instance_of: the class, as such a string, that what a user names must be a
            subclass or an instance of.
    """

    def __init__(self, kind: str, *, subclass_of: str = "", instance_of: str = "") -> None:
        self.kind = kind
        self._subclass_of, self._instance_of = subclass_of, instance_of
        self._entries: dict[str, T | str] = {}

    def register(self, name: str, entry: T | str | None = None) -> Callable[[T], T]:
        """Register ``entry`` under ``name``, or decorate it. A name taken raises ``ValueError``."""

        def add(thing: T | str) -> None:
            if name in self._entries:
                raise ValueError(f"{self.kind} {name!r} is registered twice")
            self._entries[name] = thing

        def decorate(thing: T) -> T:
            add(thing)
            return thing

        if entry is not None:
            add(entry)
        return decorate

    def get(self, name: str) -> T:
        """The thing called ``name``; ``UserError`` suggests near names where there is none."""
        if name in self._entries:
            entry = self._entries[name]
            if isinstance(entry, str):
                entry = _import(entry, self.kind)
                self._entries[name] = entry
            return entry  # type: ignore[return-value]
        if self.is_foreign(name):
            return self._checked(name, _import(name, self.kind))
        hint = _of_own_file(name) or suggest(name, self._entries)
        raise UserError(f"unknown {self.kind} {name!r}{hint}")

    def _checked(self, name: str, thing: T) -> T:
        base = self._subclass_of or self._instance_of
        if not base:
            return thing
        wanted = _import(base, self.kind)
        if self._subclass_of:
            fits = isinstance(thing, type) and issubclass(thing, wanted)
        else:
            fits = isinstance(thing, wanted)
        if not fits:
            how = "a subclass" if self._subclass_of else "an instance"
            found = thing if isinstance(thing, type) else type(thing)
            raise UserError(f"{self.kind} {name!r} is {found.__name__}: expected {how} of {base}")
        return thing

    def is_foreign(self, name: str) -> bool:
        """Whether ``name`` is no entry but somebody else's code, which `get` imports and so runs."""
        return name not in self and ":" in name

    def names(self) -> list[str]:
        """All registered names, sorted."""
        return sorted(self._entries)

    def place(self, name: str) -> str:
        """``"package.module:attribute"`` of an entry, without importing it."""
        entry = self._entries[name]
        if isinstance(entry, str):
            return entry
        return f"{entry.__module__}:{getattr(entry, '__qualname__', '')}"

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())


def check_options(
    kind: str, chosen: type, options: Mapping[str, Any], given: int, more: Collection[str] = ()
) -> None:
    """Compare the options that a user gives to a class with the signature of the class.

    Args:
        kind: what messages call the class.
        chosen: the class, one out of a `Registry`.
        options: the user's keyword arguments of it.
        given: how many leading arguments are not the user's: the suite passes them itself.
        more: options beside those of the signature, which a wrapper of the class reads.

    Raises:
        UserError: an option that the class does not take, or one without a default that is missing.
    """
    known, needed = _options_of(chosen, given)
    for option in needed:
        if option not in options:
            raise UserError(f"{kind} {chosen.__name__} needs the option {option!r}: it has no default")
    if known is None:
        return
    known |= set(more)
    for option in options:
        if option not in known:
            hint = suggest(option, known) if known else ": it takes none"
            raise UserError(f"{kind} {chosen.__name__} has no option {option!r}{hint}")


def _options_of(chosen: type, given: int) -> tuple[set[str] | None, list[str]]:
    """Names of all options of a class, None where it takes any; and of those that have no default.

    A class that passes ``**options`` on to its base class takes the options of the base class, too.
    """
    known: set[str] = set()
    needed: list[str] | None = None
    for owner in chosen.__mro__:
        if "__init__" not in vars(owner):
            continue
        # The first argument is self.
        parameters = list(inspect.signature(vars(owner)["__init__"]).parameters.values())[1 + given :]
        named = [one for one in parameters if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)]
        known |= {one.name for one in named}
        if needed is None:
            needed = [one.name for one in named if one.default is Parameter.empty]
        if all(one.kind is not Parameter.VAR_KEYWORD for one in parameters):
            return known, needed
    return None, needed or []


def _of_own_file(name: str) -> str:
    """How to name what a file of that name here defines; empty where there is none. Nothing is run."""
    file = Path(f"{name.removesuffix('.py').replace('.', '/')}.py")
    try:
        classes = [node for node in ast.parse(file.read_bytes()).body if isinstance(node, ast.ClassDef)]
    except (OSError, SyntaxError, ValueError):
        return ""
    module = ".".join(file.with_suffix("").parts)
    named = [f"{module}:{node.name}" for node in classes] or [f"{module}:NAME"]
    return f": {file} is a file here; write {' or '.join(named)}"


def _import(path: str, kind: str):
    module_name, _, attribute = path.partition(":")
    if "" in module_name.split(".") or not attribute:
        raise UserError(f"{kind} {path!r}: write package.module:attribute")
    if module_name.endswith(".py") or "/" in module_name:
        dotted = module_name.removesuffix(".py").strip("/").replace("/", ".")
        raise UserError(f"{kind} {path!r}: name the module, not its file: {dotted}:{attribute}")
    # A user's own file lies where the command is run from, which a console script does not search.
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        own = error.name is not None and (module_name + ".").startswith(error.name + ".")
        mend = (
            "run from the folder that holds it or put it on PYTHONPATH"
            if own
            else f"{module_name} needs it: install it"
        )
        raise UserError(f"{kind} {path!r}: cannot import {error.name!r}; {mend}") from error
    try:
        return getattr(module, attribute)
    except AttributeError:
        public = [name for name, one in vars(module).items() if callable(one) and name[0] != "_"]
        raise UserError(
            f"{kind} {path!r}: {module_name} has no {attribute!r}{suggest(attribute, public)}"
        ) from None
