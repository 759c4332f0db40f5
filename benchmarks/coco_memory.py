"""Peak memory and CPU time of reading large COCO files, and of ``wsol iou`` on two of them.

The truth is a COCO JSON of many images of one to three boxes each; the predictions move each box a
little and are a COCO JSON, a detector's list of results, or a CSV table. Memory is the whole process's,
as the kernel counts it.

    python benchmarks/coco_memory.py
    python benchmarks/coco_memory.py --images 30000 --predictions results csv
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

SIZE = (480, 640)  # height, width
KINDS = ("coco", "results", "csv")
READ = (
    "import sys; from pathlib import Path\n"
    "from wsol.data.annotations.annotation_pass import AnnotationPass\n"
    "from wsol.data.annotations.any_format import read_by_name\n"
    "print(len(read_by_name(Path(sys.argv[1]), AnnotationPass())))"
)

Boxes = list[list[list[float]]]


def drawn(images: int, seed: int) -> Boxes:
    """For each image one to three boxes ``x, y, width, height``; the seed moves them a little."""
    random, moved = np.random.default_rng(0), np.random.default_rng(seed)
    counts = random.integers(1, 4, images)
    boxes = random.uniform((0, 0, 50, 50), (400, 300, 200, 150), (int(counts.sum()), 4))
    boxes += moved.uniform(-5, 5, boxes.shape)
    return [part.tolist() for part in np.split(boxes.clip(0).round(2), np.cumsum(counts)[:-1])]


def name(number: int) -> str:
    """The file name of an image, as in COCO's own sets."""
    return f"{number:012d}.jpg"


def entries(boxes: Boxes) -> Iterator[dict[str, object]]:
    """COCO's entries of all boxes."""
    place = 0
    for number, own in enumerate(boxes):
        for box in own:
            yield {
                "id": place,
                "image_id": number,
                "category_id": place % 80 + 1,
                "bbox": box,
                "area": round(box[2] * box[3], 2),
                "iscrowd": 0,
            }
            place += 1


def write(path: Path, kind: str, images: int, seed: int) -> None:
    """Write boxes as one of ``KINDS``."""
    boxes = drawn(images, seed)
    if kind == "csv":
        lines = ["image_id,x,y,width,height,score"]
        for number, own in enumerate(boxes):
            lines += [f"{name(number)},{','.join(map(str, box))},0.5" for box in own]
        path.write_text("\n".join(lines) + "\n")
    elif kind == "results":
        wanted = ("image_id", "category_id", "bbox")
        content = [{key: item[key] for key in wanted} | {"score": 0.5} for item in entries(boxes)]
        path.write_text(json.dumps(content))
    else:
        listed = [
            {"id": number, "file_name": name(number), "height": SIZE[0], "width": SIZE[1]}
            for number in range(len(boxes))
        ]
        categories = [{"id": number + 1, "name": f"class {number + 1}"} for number in range(80)]
        content = {"images": listed, "annotations": list(entries(boxes)), "categories": categories}
        path.write_text(json.dumps(content))


def written(*arguments: object) -> None:
    """`write` in a process of its own: the kernel counts a parent's memory as its children's peak."""
    process = multiprocessing.get_context("spawn").Process(target=write, args=arguments)
    process.start()
    process.join()
    if process.exitcode:
        sys.exit("the files could not be written")


def measured(what: str, *command: str | Path) -> None:
    """Run the command as a process of its own and print what it took."""
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    said = process.stdout.read().strip()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{what} failed")
    peak = usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    seconds = usage.ru_utime + usage.ru_stime
    print(
        f"{what:<24} {peak:7.0f} MiB peak {seconds:7.1f} s of CPU   {said.splitlines()[0]}", flush=True
    )


def main() -> None:
    """Write the files, read each alone, compare each with the truth."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=300_000)
    parser.add_argument("--predictions", nargs="+", choices=KINDS, default=list(KINDS))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        truth = Path(folder) / "truth.json"
        written(truth, "coco", arguments.images, 1)
        files = {}
        for kind in arguments.predictions:
            files[kind] = Path(folder) / f"{kind}.{'csv' if kind == 'csv' else 'json'}"
            written(files[kind], kind, arguments.images, 2)
        measured("python and wsol alone", sys.executable, "-c", READ.partition("print")[0] + "print(0)")
        measured("read truth", sys.executable, "-c", READ, truth)
        for kind, path in files.items():
            measured(f"read {kind}", sys.executable, "-c", READ, path)
        for kind, path in files.items():
            command = (
                sys.executable,
                "-m",
                "wsol.cli.main",
                "iou",
                "--output",
                Path(folder) / "iou.csv",
            )
            measured(f"iou with {kind}", *command, "--annotations", truth, "--predictions", path)


if __name__ == "__main__":
    main()
