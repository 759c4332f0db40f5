"""``wsol propose MANIFEST``: boxes that may hold an object, for the maps of two-level attention."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from wsol.cli.parser import Parser, at_least


def main(argv: Sequence[str]) -> int:
    """Run the command; returns the exit code."""
    parser = Parser(
        "propose",
        "Propose boxes that may hold an object, by the images' own regions, and keep them in the "
        "manifest's folder; --maps two_level reads them. Interrupted, the same command goes on.",
    )
    parser.add_argument("manifest", type=Path, help="folder that `wsol prepare` wrote")
    parser.add_argument(
        "--split", nargs="+", default=[], metavar="NAME", help="which images; default: all but train"
    )
    parser.add_argument("--jobs", type=at_least(1), help="images at a time; default: one a core")
    options = parser.parse(argv)
    # Imported here: it takes a second, which help need not wait for.
    from wsol.pipeline.propose import propose

    for found in propose(options.manifest, options.split, options.jobs):
        line = f"{found.split}: {found.images} images, {found.boxes:.1f} proposals an image"
        if len(found.best):
            reached = (
                f"{100 * (found.best >= delta).mean():.1f} % at IoU {delta}" for delta in (0.5, 0.7)
            )
            line += f"; the best of each finds a true box in {', '.join(reached)}"
        print(line)
    return 0
