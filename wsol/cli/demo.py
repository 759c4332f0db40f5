"""``wsol demo``: the main job on the embedded data set, from nothing to the report."""

from __future__ import annotations

from wsol.cli.grid_end import run_and_tell
from wsol.cli.parser import Parser, folder


def main(argv: list[str]) -> int:
    """Train, score, board and report the demo's rows; prints where they stand and where to look."""
    parser = Parser("demo", "Train CAM, RFGA, TDAM and LTPA on embedded images; evaluate; report.")
    parser.add_argument(
        "--output", type=folder, default="demo", help="folder for everything the demo makes"
    )
    parser.add_argument("--small", action="store_true", help="few images, two epochs: does it run")
    arguments = parser.parse(argv)
    from wsol.pipeline.demo import demo_grid, demo_jobs, write_lead

    grid = demo_grid(arguments.output, small=arguments.small)
    run_and_tell(grid, demo_jobs(grid), before_board=write_lead)
    return 0
