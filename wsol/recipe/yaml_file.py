"""Reading YAML of bounded size: what a recipe says, and no more than a recipe can say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from wsol.errors import UserError
from wsol.files.reading import refuse_no_file

# A recipe has some sixty keys. Aliases (`*name`) let a short file stand for billions of values.
MOST_VALUES, DEEPEST = 10_000, 50
# What a shell makes of `--config <(command)`: a pipe that has its writer.
SHELL_PIPES = ("/dev/fd/", "/dev/stdin", "/proc/self/fd/")


def read_yaml(path: Path | str) -> Any:
    """What a recipe file says, unchecked; an empty file says nothing, all of it defaults.

    ``UserError`` for a missing file, for what is no YAML, or says one key twice.
    """
    if not str(path).startswith(SHELL_PIPES):
        refuse_no_file(path)
    try:
        raw = parse_yaml(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: no such recipe") from None
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise UserError(f"{path}: not a YAML recipe: {' '.join(str(error).split())}") from error
    return {} if raw is None else raw


def parse_yaml(text: str, loader_class: type[Any] = yaml.SafeLoader) -> Any:
    """The value of a YAML text; ``ValueError`` or ``yaml.YAMLError`` where it is none, or too large."""
    loader = loader_class(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        _values_of(node, {}, [])
        return loader.construct_document(node)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    finally:
        loader.dispose()


def _values_of(node: yaml.Node, counted: dict[int, int], above: list[yaml.Node]) -> int:
    """How many values the node stands for, its aliases written out; ``ValueError`` where too many.

    ``counted`` remembers nodes, ``above`` are those it lies in.
    """
    if any(node is one for one in above):
        raise ValueError(f"{_place(node)}: an alias that holds itself")
    if len(above) > DEEPEST:
        raise ValueError(f"{_place(node)}: nested too deeply")
    if id(node) not in counted:
        children: list[yaml.Node] = []
        if isinstance(node, yaml.MappingNode):
            _refuse_twice(node)
            children = [child for pair in node.value for child in pair]
        elif isinstance(node, yaml.SequenceNode):
            children = node.value
        counted[id(node)] = 1 + sum(_values_of(one, counted, [*above, node]) for one in children)
    if counted[id(node)] > MOST_VALUES:
        raise ValueError(f"{_place(node)}: over {MOST_VALUES} values")
    return counted[id(node)]


def _refuse_twice(node: yaml.MappingNode) -> None:
    """YAML forbids a key twice; PyYAML would take the last one in silence."""
    first: dict[Any, yaml.Node] = {}
    for key, _ in node.value:
        name = key.value if isinstance(key, yaml.ScalarNode) else id(key)
        if name in first and name != "<<":
            before = first[name].start_mark.line + 1
            raise ValueError(f"{_place(key)}: {name!r} is already in line {before}")
        first[name] = key


def _place(node: yaml.Node) -> str:
    return f"line {node.start_mark.line + 1}"
