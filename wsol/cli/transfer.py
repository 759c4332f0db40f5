"""``wsol transfer RUN... --manifest DIR``: what attended features are worth on another data set."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from wsol.cli.parser import Parser, at_least, folder
from wsol.cli.run_arguments import add_machine, add_runs, open_runs, tell_of_few


def main(argv: Sequence[str]) -> int:
    """Fit, score, print a line a run and write the table."""
    parser = Parser(
        "transfer",
        "Fit a linear SVM to a run's features of another data set's train images, C chosen by "
        "cross-validation on them, and say how many of its test images it names right.",
    )
    add_runs(parser)
    parser.add_argument("--manifest", required=True, help="folder of the other data set's manifest")
    parser.add_argument(
        "--features",
        default="attended",
        help="attended: what the classifier gets (LTPA's attended vectors, else the average of the last "
        "features after attention); pooled: that average, also of LTPA",
    )
    parser.add_argument("--split", default="test", help="the images that are scored")
    parser.add_argument(
        "--images-per-class", type=at_least(0), default=0, help="to train on, the first; 0: all"
    )
    parser.add_argument("--output", type=folder, default="transfer", help="folder of transfer.csv")
    add_machine(parser)
    arguments = parser.parse(argv)
    from wsol.pipeline.transfer.transfer import transfer, write_table

    rows = transfer(
        open_runs(arguments),
        arguments.manifest,
        features=arguments.features,
        split=arguments.split,
        per_class=arguments.images_per_class,
    )
    for row in rows:
        accuracy = f"{row.accuracy:.1f} % [{row.low:.1f}, {row.high:.1f}]"
        svm = f"{row.features} features, {row.dimensions} dimensions, C {row.c:g}"
        print(f"{row.run}: {accuracy} of {row.test_images:,} images ({svm})")
    print(write_table(rows, Path(arguments.output) / "transfer.csv"))
    tell_of_few({row.test_images for row in rows})
    return 0
