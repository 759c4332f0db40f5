"""What a map source's argument may be, where it is a number."""

from __future__ import annotations

from wsol.errors import UserError


def whole_number(name: str, argument: str, meaning: str, example: str, default: int) -> int:
    """The argument of the source ``name`` as a number from 1 on, ``default`` where there is none.

    ``UserError`` says what it means where it is no such number.
    """
    if not argument:
        return default
    # isascii: int() takes other scripts' digits and superscripts are digits to it, too.
    if not (argument.isascii() and argument.isdigit() and int(argument) > 0):
        raise UserError(
            f"map source {name!r}: the {meaning} must be a whole number from 1 on, as in {example}"
        )
    return int(argument)
