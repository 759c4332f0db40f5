"""Train one recipe: ``python train.py --config configs/clutter/rfga.yaml [--any.key value]``."""

import sys

from wsol.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["train", *sys.argv[1:]]))
