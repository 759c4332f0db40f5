"""Time and peak memory of ``wsol prepare imagenet`` on a synthetic tree of ILSVRC's size.

The tree has the official layout: 1,000 classes, 1,281,167 train files and 50,000 val images with XML,
all hard links to a few small JPEGs. Memory is the whole process's, as the kernel counts it.

    python benchmarks/prepare.py --tree /tmp/ilsvrc            the whole size
    python benchmarks/prepare.py --tree /tmp/small --share 0.01
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image

CLASSES, TRAIN, VAL = 1000, 1_281_167, 50_000
LINKS = 30_000  # hard links a file may have, well below what file systems allow
XML = (
    "<annotation><filename>{name}</filename><size><width>64</width><height>48</height><depth>3</depth></size>"
    "<object><name>{key}</name><bndbox><xmin>5</xmin><ymin>6</ymin><xmax>40</xmax><ymax>41</ymax></bndbox>"
    "</object></annotation>"
)


class LinkedImages:
    """Paths become hard links to one JPEG after the other."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.made = folder, 0
        self.folder.mkdir(parents=True)

    def link(self, path: str) -> None:
        """Make ``path`` an image."""
        source = self.folder / f"{self.made // LINKS}.jpg"
        if self.made % LINKS == 0:
            pixels = np.random.default_rng(self.made).integers(0, 255, (48, 64, 3), np.uint8)
            Image.fromarray(pixels).save(source)
        os.link(source, path)
        self.made += 1


def make_tree(root: Path, share: float) -> None:
    """Write the tree, or ``share`` of each class's images."""
    data, annotations = root / "ILSVRC/Data/CLS-LOC", root / "ILSVRC/Annotations/CLS-LOC/val"
    images = LinkedImages(root / "sources")
    train, val = int(TRAIN * share), int(VAL * share)
    keys = [f"n{10_000_000 + number}" for number in range(CLASSES)]
    for number, key in enumerate(keys):
        folder = data / "train" / key
        folder.mkdir(parents=True)
        for image in range(train // CLASSES + (number < train % CLASSES)):
            images.link(f"{folder}/{key}_{image}.JPEG")
    (data / "val").mkdir()
    annotations.mkdir(parents=True)
    for image in range(val):
        name = f"ILSVRC2012_val_{image + 1:08d}"
        images.link(f"{data}/val/{name}.JPEG")
        (annotations / f"{name}.xml").write_text(XML.format(name=name, key=keys[image % CLASSES]))


def measure(root: Path, output: Path, options: list[str]) -> tuple[float, float]:
    """Seconds and peak MiB of one `wsol prepare` in a process of its own."""
    command = [sys.executable, "-m", "wsol.cli.main", "prepare", "imagenet", "--root", str(root)]
    script = (
        "import resource, subprocess, sys; "
        "code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode; "
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(code)"
    )
    started = time.perf_counter()
    child = [sys.executable, "-c", script, *command, "--output", str(output), *options]
    peak = subprocess.run(child, check=True, stdout=subprocess.PIPE, text=True).stdout
    return time.perf_counter() - started, int(peak) / 1024


def main() -> None:
    """Make the tree where there is none, and measure both ways of listing train."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--tree", type=Path, required=True, help="folder of the tree; made if it is missing"
    )
    parser.add_argument("--share", type=float, default=1.0, help="share of the images, for a quick look")
    arguments = parser.parse_args()
    if not arguments.tree.exists():
        started = time.perf_counter()
        make_tree(arguments.tree, arguments.share)
        print(f"made the tree in {time.perf_counter() - started:.0f} s")
    print(f"{'options':<28}{'seconds':>9}{'peak MiB':>10}")
    for options in (["--list-train"], [], ["--list-train", "--proxy-train"]):
        output = arguments.tree / "manifest"
        seconds, peak = measure(arguments.tree, output, options)
        print(f"{' '.join(options) or '(headers of train read)':<28}{seconds:>9.0f}{peak:>10.0f}")


if __name__ == "__main__":
    main()
