"""``wsol prepare NAME``: a data set in its official layout becomes a manifest."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from wsol.cli.parser import Parser
from wsol.data.layouts import DATASETS
from wsol.data.layouts.layout import Layout
from wsol.data.prepare import prepare


def main(argv: Sequence[str]) -> int:
    """Run the command; returns the exit code."""
    if not argv or argv[0].startswith("-"):
        parser = Parser("prepare", "Turn a data set in its official layout into a manifest.")
        parser.add_argument("name", help=", ".join(DATASETS) + ", or your own module:LAYOUT")
        parser.epilog = "wsol prepare NAME --help shows the options of that data set"
        parser.parse(argv)
    name, *rest = argv
    layout = DATASETS.get(name)
    parser = Parser(f"prepare {name}", f"Turn {name} into a manifest.")
    if layout.needs_root:
        parser.add_argument("--root", type=Path, required=True, help="folder where the data set lies")
    own = name.partition(":")[0]
    told = f"manifests/{own}"
    if layout.folder_of:
        told += "; options that make another set are part of its name"
    parser.add_argument("--output", type=Path, help=f"manifest to write (default: {told})")
    parser.add_argument("--title", default="", help="what to call it, e.g. a subset for what it is")
    layout.add_options(parser)
    options = parser.parse(rest)
    root = options.root if layout.needs_root else None
    usual = layout.folder_of(options) if layout.folder_of else own
    output = options.output or Path("manifests", usual)
    info = prepare(name, root, output, title=options.title, options=options)
    print("\n".join(summary(output, info, layout)))
    return 0


def summary(folder: Path, info: dict[str, Any], layout: Layout) -> list[str]:
    """What was found, a line each."""
    counts = info["counts"]
    lines = [f"{info['title']}: {counts['classes']} classes"]
    for split, images in sorted(counts["images"].items(), key=_reading_order):
        boxes, masks = counts["boxes"].get(split, 0), counts["masks"].get(split, 0)
        found = [
            f"{images} images",
            *(f"{n} {what}" for n, what in ((boxes, "boxes"), (masks, "masks")) if n),
        ]
        lines.append(f"  {split}: {', '.join(found)}")
    if info["subset"]:
        lines.append(f"a subset: {info['subset']}")
    # One's own images have no card, and what was drawn is complete.
    elif not info["expected"] and info["dataset"] != "custom" and not info.get("drawn"):
        where = "has no expected counts" if layout.card(info["dataset"]) else "was not found"
        lines.append(f"completeness not checked: the card of {info['dataset']} {where}")
    lines += [f"note: {note}" for note in info["notes"]]
    return [*lines, f"manifest {folder}, hash {info['hash'][:16]}"]


def _reading_order(item: tuple[str, int]) -> tuple[int, str]:
    order = ("train", "val", "test")
    return (order.index(item[0]) if item[0] in order else len(order), item[0])
