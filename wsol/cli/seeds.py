"""The seeds of a command line."""

from __future__ import annotations

from wsol.errors import UserError
from wsol.recipe.recipe import LARGEST_SEED


def seeds_of(text: str) -> list[int]:
    """``0,1,2`` as numbers, each once; ``UserError`` where it is something else."""
    try:
        seeds = [int(seed) for seed in text.split(",")]
    except ValueError:
        raise UserError(f"--seeds {text!r}: whole numbers with commas between, as in 0,1,2") from None
    if outside := [seed for seed in seeds if not 0 <= seed <= LARGEST_SEED]:
        raise UserError(f"--seeds {text!r}: {outside[0]} is not from 0 to {LARGEST_SEED}")
    return list(dict.fromkeys(seeds))
