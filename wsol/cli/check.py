"""``wsol check``: run an attention module through the contract."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

import yaml

from wsol.cli.parser import Parser, at_least
from wsol.errors import UserError
from wsol.recipe.yaml_file import parse_yaml

OF_RECIPE = "--attention.options."


def main(argv: list[str]) -> int:
    """Print the verdict; ``UserError`` with a line for each check that failed."""
    parser = Parser("check", "Run an attention module through the contract, in under a minute.")
    parser.add_argument("name", help="a registered name, or package.module:Class")
    parser.add_argument(
        "--options",
        nargs="+",
        type=_option,
        default=[],
        metavar="KEY=VALUE",
        action="extend",
        help="arguments of the class; also as a recipe spells them: --attention.options.KEY VALUE",
    )
    parser.add_argument("--backbone", default="resnet18", help="the network it is put into")
    parser.add_argument(
        "--at", nargs="+", default=[], metavar="STAGE", help="where; default: the class's own"
    )
    parser.add_argument(
        "--input-size", type=at_least(32), default=112, help="side of the images in pixels"
    )
    parser.add_argument("--compile", action="store_true", help="also under torch.compile (slower)")
    arguments = parser.parse(_as_options(argv))
    # Only now: torch takes seconds.
    from rich.console import Console

    from wsol.check.verdict import check_attention
    from wsol.check.verdict_table import show

    verdict = check_attention(
        arguments.name,
        dict(arguments.options),
        backbone=arguments.backbone,
        at=arguments.at,
        input_size=arguments.input_size,
        compiled=arguments.compile,
    )
    show(verdict, Console())
    if verdict.failures:
        raise UserError.of(verdict.failures)
    return 0


def _as_options(argv: Sequence[str]) -> list[str]:
    """A recipe's ``--attention.options.k 3`` (or ``=3``) as ``--options k=3``."""
    words: list[str] = []
    rest = iter(argv)
    for word in rest:
        name, equals, value = word.partition("=")
        if not name.startswith(OF_RECIPE):
            words.append(word)
            continue
        value = value if equals else next(rest, "")
        words += ["--options", f"{name.removeprefix(OF_RECIPE)}={value}"]
    return words


def _option(text: str) -> tuple[str, Any]:
    """``k=3`` as a key and a YAML value."""
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY=VALUE")
    try:
        return key, parse_yaml(value)
    except (ValueError, yaml.YAMLError) as error:
        raise argparse.ArgumentTypeError(f"{text!r}: the value is not YAML") from error
