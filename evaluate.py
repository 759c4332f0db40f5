"""Score a run, a folder of score maps or your own images: ``python evaluate.py --run runs/...``."""

import sys

from wsol.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["evaluate", *sys.argv[1:]]))
