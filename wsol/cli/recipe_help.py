"""``--help`` of the commands that take a recipe: every key, by part, with its default."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Mapping
from typing import Any

from wsol.recipe import PARTS, Recipe
from wsol.recipe.checking import CheckedSettings, dotted, field_hints
from wsol.recipe.documentation import first_sentences
from wsol.recipe.fields import plain

WIDTH = 100
INDENT = 30
FRAME = {
    "config": "a recipe file, YAML; several: later ones override",
    "print_config": "print the whole recipe as YAML and do nothing else",
    "help": "this page",
}


def help_text(command: str, own: Mapping[str, str]) -> str:
    """The page; ``own`` are the command's own options and what they are for."""
    lines = [
        f"usage: wsol {command} [--config FILE] [--KEY VALUE ...]",
        "",
        *textwrap.wrap(
            "A recipe: defaults, then --config files and keys in the order they are given, later over "
            "earlier. --attention rfga is short for --attention.name rfga (data, backbone, head and "
            "method alike; --weights FILE for --weights.file FILE, --threads N for --how.threads N). "
            "Lists by commas, --training.milestones 15,30, and --training.milestones+ 45 adds to one. "
            "Options of a class: --attention.options.k 3. A name may be package.module:Name: your code, "
            "which is imported and so run.",
            WIDTH,
        ),
        "",
    ]
    for name, purpose in {**own, **FRAME}.items():
        lines += _entry(name, purpose)
    for name, part in PARTS.items():
        purpose = (inspect.getdoc(part) or "").split(".")[0]
        lines += ["", f"{name}: {purpose[:1].lower()}{purpose[1:]}", *_of(part, part())]
    lines += ["", "of the run as a whole", *_of(Recipe, Recipe())]
    return "\n".join(lines)


def _of(cls: type[CheckedSettings], defaults: Any) -> list[str]:
    said = first_sentences(cls)
    lines: list[str] = []
    for name in field_hints(cls):
        if cls is not Recipe or name not in PARTS:
            default = _spelled(plain(getattr(defaults, name)))
            lines += _entry(dotted(cls, name), f"{said[name]}{default}")
    return lines


def _entry(name: str, purpose: str) -> list[str]:
    head = f"  --{name}"
    if len(head) > INDENT - 2:
        return [
            head,
            *textwrap.wrap(purpose, WIDTH, initial_indent=" " * INDENT, subsequent_indent=" " * INDENT),
        ]
    return textwrap.wrap(
        purpose, WIDTH, initial_indent=f"{head:<{INDENT}}", subsequent_indent=" " * INDENT
    )


def _spelled(default: Any) -> str:
    """The default as it is typed; none where nothing is the default."""
    if default in ("", [], {}):
        return ""
    if isinstance(default, bool):
        return f" (default: {str(default).lower()})"
    return f" (default: {','.join(map(str, default)) if isinstance(default, list) else default})"
