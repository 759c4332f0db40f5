"""From a data set's official layout to its manifest, in one call."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

from wsol.data.layouts import DATASETS
from wsol.data.layouts.layout import Layout
from wsol.data.manifest.manifest_writing import write_manifest
from wsol.errors import UserError


def prepare(
    name: str,
    root: Path | str | None,
    output: Path | str,
    *,
    title: str = "",
    options: Namespace | None = None,
) -> dict[str, Any]:
    """Read data set ``name`` under ``root`` and write its manifest to ``output``.

    ``name`` is a registered layout or ``package.module:LAYOUT``. ``title`` names a subset for what it
    is; ``options`` are the layout's own, see `Layout.options`. Returns the content of manifest.json.
    ``UserError`` lists all that is wrong.
    """
    layout = DATASETS.get(name)
    if layout.needs_root:
        if root is None:
            raise UserError(f"prepare {name} needs --root, the folder where the data set lies")
        if not Path(root).is_dir():
            raise UserError(f"{root}: no such folder; --root is where {name} was unpacked")
    elif root is not None:
        raise UserError(f"prepare {name} takes no --root: there is nothing to read")
    try:
        return _prepare(layout, Path(root or "."), Path(output), title, options or layout.options())
    except OSError as error:
        # A folder that may not be read, a full disk: the system's own words say which.
        raise UserError(f"prepare {name}: {error}") from error


def _prepare(layout: Layout, root: Path, output: Path, title: str, options: Namespace) -> dict[str, Any]:
    draft = layout.read(root, options)
    card = layout.card(draft.dataset)
    if card is not None:
        draft.title, draft.version, draft.expected = card.title, card.version, card.expected
    draft.title = title or f"{draft.title} {draft.variant}".strip()
    return write_manifest(output, draft)
