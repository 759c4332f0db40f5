"""The error a user can mend: one line that names the thing, the file and the mend."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager


class UserError(ValueError):
    """Wrong use or bad input. The command line prints its message and exits with 2.

    Raise it with one line: what is wrong, in which file and line, how to mend it. Several
    findings of one pass go into one error, a line each.
    """

    @classmethod
    def of(cls, findings: list[str], limit: int = 20) -> UserError:
        """One error of several findings, a line each, the tail counted beyond ``limit``."""
        shown = findings[:limit]
        if len(findings) > limit:
            shown.append(f"... and {len(findings) - limit} more")
        return cls("\n".join(shown))


@contextmanager
def blamed_on(what: str) -> Iterator[None]:
    """Within it whatever a user's class or its options raise is a ``UserError`` about ``what``."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        raise UserError(f"{what}: {said(error)}") from error


def said(error: BaseException) -> str:
    """The error's kind and message on one line, cut after 200 characters."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:200]


def suggest(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """``": did you mean 'x'?"`` for near names, else ``otherwise``, or the list of what there is."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=2, cutoff=0.5)
    if near:
        return ": did you mean " + " or ".join(map(repr, near)) + "?"
    return f": {otherwise}" if otherwise else ": there are " + ", ".join(names)
