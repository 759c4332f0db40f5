"""argparse with the suite's manners: no abbreviations, one-line errors that suggest the near name."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from wsol.errors import UserError, suggest


class _Help(argparse.ArgumentDefaultsHelpFormatter):
    """Help with defaults, where there is one to tell."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        untold = action.default is False or action.default in (None, "", argparse.SUPPRESS)
        told = not untold and "default:" not in (action.help or "")
        return super()._get_help_string(action) if told else action.help


class Parser(argparse.ArgumentParser):
    """An ``ArgumentParser`` whose errors are ``UserError``."""

    def __init__(self, command: str, description: str) -> None:
        super().__init__(
            prog=f"wsol {command}",
            description=description,
            allow_abbrev=False,
            formatter_class=_Help,
        )

    def error(self, message: str) -> NoReturn:
        """Raise the one-line error instead of printing usage and leaving."""
        raise UserError(f"{message} (see {self.prog} --help)")

    def parse(self, argv: Sequence[str]) -> argparse.Namespace:
        """Parse ``argv``; an unknown option suggests the near one."""
        arguments, unknown = self.parse_known_args(argv)
        if unknown and not unknown[0].startswith("-"):
            self.error(f"unexpected argument {unknown[0]!r}: name the option that it is for before it")
        if unknown:
            known = [option for action in self._actions for option in action.option_strings]
            self.error(f"unknown argument {unknown[0]!r}{suggest(unknown[0].split('=')[0], known)}")
        return arguments


def folder(text: str) -> str:
    """The type of an option that names a folder to write to: refused now, not when all is computed."""
    for place in (Path(text), *Path(text).parents):
        if place.exists() and not place.is_dir():
            raise argparse.ArgumentTypeError(f"{place} is a file: name a folder")
    return text


def at_least(least: int) -> Callable[[str], int]:
    """The type of an option that is a whole number, ``least`` or more."""

    def whole_number(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = least - 1
        if number < least:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number, {least} or more")
        return number

    return whole_number


def true_or_false(text: str) -> bool:
    """The type of an option that may be said as in a recipe: ``true`` or ``false``."""
    if text not in ("true", "false"):
        raise argparse.ArgumentTypeError(f"{text!r} is neither true nor false")
    return text == "true"
