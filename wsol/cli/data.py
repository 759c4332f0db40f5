"""``wsol data check`` and ``wsol data sheet``: looking at a data set before trusting it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from wsol.cli.parser import Parser, at_least
from wsol.data.inspection.contact_sheet import contact_sheet
from wsol.data.inspection.data_check import DataReport, check_data
from wsol.data.manifest.manifest import Manifest
from wsol.errors import UserError, suggest

SHOWN = 5  # groups of duplicates that are named


def main(argv: Sequence[str]) -> int:
    """Run the command; returns the exit code."""
    actions = {"check": _check, "sheet": _sheet}
    if not argv or argv[0].startswith("-"):
        parser = Parser("data", "Check a manifest's files, or draw its contact sheet.")
        parser.add_argument("action", choices=sorted(actions), help="see wsol data ACTION --help")
        parser.parse(argv)
    action, *rest = argv
    if action not in actions:
        raise UserError(f"unknown action {action!r}{suggest(action, actions)}")
    return actions[action](rest)


def _check(argv: Sequence[str]) -> int:
    parser = Parser(
        "data check", "Decode all images and masks, compare them with the tables, find duplicates."
    )
    parser.add_argument("manifest", type=Path, help="folder that `wsol prepare` wrote")
    parser.add_argument("--workers", type=at_least(1), help="threads; default: one a core")
    options = parser.parse(argv)
    manifest = Manifest.read(options.manifest)
    report = check_data(manifest, options.workers)
    print("\n".join(lines(manifest, report)))
    if report.findings:
        raise UserError.of(report.findings)
    return 0


def _sheet(argv: Sequence[str]) -> int:
    parser = Parser("data sheet", "Draw some images of a split with their boxes and masks.")
    parser.add_argument("manifest", type=Path, help="folder that `wsol prepare` wrote")
    parser.add_argument("--split", default="test", help="which images")
    parser.add_argument("--images", type=at_least(1), default=48, help="how many, classes in turn")
    parser.add_argument("--seed", type=int, default=0, help="which of each class")
    parser.add_argument(
        "--output", type=Path, help="PNG to write; default: contact_sheet.png in the manifest"
    )
    options = parser.parse(argv)
    split = Manifest.read(options.manifest).split(options.split)
    path = options.output or options.manifest / "contact_sheet.png"
    print(contact_sheet(split, path, images=options.images, seed=options.seed))
    return 0


def lines(manifest: Manifest, report: DataReport) -> list[str]:
    """The report for people, without its findings."""
    shown = [
        f"{manifest.title}: {report.files} files, {report.decoded} decoded now, "
        f"{len(report.findings)} findings"
    ]
    for split, images in manifest.splits.items():
        facts = [f"{images} images"]
        if split in report.balance:
            least, median, most = report.balance[split]
            facts.append(f"a class has {least} to {most}, median {median:g}")
        if empty := report.empty_masks.get(split, 0):
            facts.append(f"{empty} with an empty mask (no object)")
        if several := report.several_classes.get(split, 0):
            facts.append(f"{several} with boxes of several classes")
        if several := report.several_things.get(split, 0):
            facts.append(f"{several} with several instances")
        shown.append(f"  {split}: {', '.join(facts)}")
    for what, groups in (("several splits", report.leaks), ("one split", report.repeats)):
        shown.append(f"pictures that lie more than once in {what}: {len(groups)}")
        named = [" = ".join(f"{split}:{image_id}" for split, image_id in group) for group in groups]
        shown += [f"  {name}" for name in named[:SHOWN]]
        if len(named) > SHOWN:
            shown.append(f"  ... and {len(named) - SHOWN} more")
    return shown + [f"note: {note}" for note in report.notes]
