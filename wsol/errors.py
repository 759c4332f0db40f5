"""The error a user can mend: one line that names the thing, the file and the mend."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager


class UserError(ValueError):
    """Wrong use or bad input. The command line prints its message and exits with 2.

    Raise it with one line: what is wrong, in which file and line, how to mend it. Several
    findings of one pass go into one error, a line each.
    """

    @classmethod
    def of(cls, findings: list[str], limit: int = 20) -> UserError:
        """One error of several findings, a line each, the tail counted beyond ``limit``.

        Many that are alike but for names and numbers are one line with a count.
        """
        findings = _summed_up(findings)
        shown = findings[:limit]
        if len(findings) > limit:
            shown.append(f"... and {len(findings) - limit} more")
        return cls("\n".join(shown))


# So many alike are still told one by one.
ALIKE = 5
# Of the others so many places are named.
NAMED = 3
# What may differ among findings that are alike: quoted names, and words with a digit or a path in them.
VARIES = re.compile(r"'[^']*'|\"[^\"]*\"|\S*[\d/\\\\]\S*")


def _summed_up(findings: list[str]) -> list[str]:
    """Findings in their order; of more than `ALIKE` alike the first, and how many more there are."""
    kinds: dict[str, list[str]] = {}
    for finding in findings:
        kinds.setdefault(_kind(finding), []).append(finding)
    lines = []
    for finding in findings:
        first, *others = kinds[_kind(finding)]
        if len(others) < ALIKE:
            lines.append(finding)
        elif finding is first:
            named = ", ".join(other.partition(": ")[0] for other in others[:NAMED])
            lines.append(f"{first} (and {len(others)} more like it: {named}, ...)")
    return lines


def _kind(finding: str) -> str:
    where, colon, what = finding.partition(": ")
    return VARIES.sub("*", what if colon else where)


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


def interruption(error: BaseException | None) -> BaseException | None:
    """The request to end, a signal's or an exit, on whose way out ``error`` came up; None: a failure.

    Torch's loader, for one, complains of its workers, which had the signal too.
    """
    while isinstance(error, Exception):
        error = error.__cause__ or error.__context__
    return error


def suggest(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """``": did you mean 'x'?"`` for near names, else ``otherwise``, or the list of what there is.

    Near are also the names of which ``name`` is the start, where these are no more than two.
    """
    names = sorted(known)
    longer = [one for one in names if name and one.startswith(name)]
    near = difflib.get_close_matches(name, names, n=2) or (longer if len(longer) <= 2 else [])
    if near:
        return ": did you mean " + " or ".join(map(repr, near)) + "?"
    return f": {otherwise}" if otherwise else ": there are " + ", ".join(names)
