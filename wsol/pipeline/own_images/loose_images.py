"""Which maps can be read of images that no manifest lists."""

from __future__ import annotations

from collections.abc import Iterable

from wsol.errors import UserError
from wsol.maps import map_source


def check_reads_loose_images(maps: Iterable[str]) -> None:
    """``UserError`` for a source that reads what lies beside a manifest; before anything is computed."""
    for name in maps:
        if map_source(name).needs_manifest:
            raise UserError(
                f"--maps {name} reads what `wsol propose` keeps beside a manifest: make one of your "
                "images (`wsol prepare custom`), propose, and evaluate with --manifest"
            )
