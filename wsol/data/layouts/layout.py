"""What a data set's official layout is to `wsol prepare`: how it is read, and by which options."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wsol.data.manifest.cards import Card, read_card, read_card_file
from wsol.data.manifest.manifest_draft import ManifestDraft


@dataclass(frozen=True)
class Layout:
    """One official layout: the value behind a name in ``DATASETS``.

    Attributes:
        read: lists the data set under ``root`` (None where ``needs_root`` is False); ``options`` holds
            the values of the arguments that ``add_options`` adds to ``wsol prepare NAME``. Raises
            ``UserError`` where the files are in another layout.
        add_options: adds the layout's own arguments.
        needs_root: whether there is anything to find on the disk.
        card_file: the card of a layout that is not part of wsol, e.g.
            ``Path(__file__).with_name("card.toml")``; None: the card is found by the data set's name,
            among wsol's own.
        folder_of: the folder under ``manifests/`` for these options, where one layout makes several
            manifests; None: the layout's name.
    """

    read: Callable[[Path, Namespace], ManifestDraft]
    add_options: Callable[[ArgumentParser], None]
    needs_root: bool = True
    card_file: Path | None = None
    folder_of: Callable[[Namespace], str] | None = None

    def options(self, **given: Any) -> Namespace:
        """The layout's options at their defaults, except for those given."""
        parser = ArgumentParser(add_help=False)
        self.add_options(parser)
        options = parser.parse_args([])
        for name, value in given.items():
            if not hasattr(options, name):
                raise TypeError(f"no option {name!r}")
            setattr(options, name, value)
        return options

    def card(self, dataset: str) -> Card | None:
        """The card of ``dataset``, as the draft is called that ``read`` returned; None without one.

        ``UserError`` where ``card_file`` is missing or is no card.
        """
        return read_card(dataset) if self.card_file is None else read_card_file(self.card_file)
