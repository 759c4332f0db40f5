"""The seeds of a command line."""

from __future__ import annotations

from wsol.errors import UserError


def seeds_of(text: str) -> list[int]:
    """``0,1,2`` as numbers; ``UserError`` where it is something else."""
    try:
        return [int(seed) for seed in text.split(",")]
    except ValueError:
        raise UserError(f"--seeds {text!r}: whole numbers with commas between, as in 0,1,2") from None
