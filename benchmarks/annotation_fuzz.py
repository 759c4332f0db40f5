"""Damaged annotation files: every reader either reads one or says in a UserError what is wrong.

Sound files of each format are damaged in many ways: bytes flipped, cut off, values replaced, tags taken
out, nested deep, other encodings. Counted is what became of them; a traceback is a bug. Time and memory
are bounded: the slowest input and the process's peak are told.

    python benchmarks/annotation_fuzz.py                   10,000 inputs for each reader
    python benchmarks/annotation_fuzz.py --reader yolo 'yolo outlines' --count 500 --seed 1
"""

from __future__ import annotations

import argparse
import random
import re
import resource
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from wsol.data.annotations.any_format import read_annotations
from wsol.data.layouts.custom import custom_manifest
from wsol.errors import UserError

# A sound file of each format, about images a.jpg and b.jpg of 20 x 10.
SOUND = {
    "coco": (
        "a.json",
        '{"images": [{"id": 1, "file_name": "a.jpg", "width": 20, "height": 10},'
        ' {"id": 2, "file_name": "b.jpg", "width": 20, "height": 10}], "categories": [{"id": 3, "name":'
        ' "bird"}], "annotations": [{"id": 1, "image_id": 1, "category_id": 3, "bbox": [1, 2, 3, 4],'
        ' "segmentation": [[1, 2, 4, 2, 4, 6, 1, 6]], "iscrowd": 0}, {"id": 2, "image_id": 2,'
        ' "category_id": 3, "segmentation": {"size": [10, 20], "counts": [20, 30, 150]}}]}',
    ),
    "results": (
        "a.json",
        '[{"image_id": "a", "category_id": 3, "bbox": [1, 2, 3, 4], "score": 0.5}]',
    ),
    "csv": (
        "a.csv",
        "image,label,x0,y0,x1,y1,width,height,score\na.jpg,bird,1,2,4,6,20,10,0.5\nb.jpg,bird,0,0,9,9,20,10,1\n",
    ),
    "voc": (
        "a.xml",
        '<?xml version="1.0" encoding="utf-8"?><annotation verified="yes"><filename>a.jpg</filename>'
        "<size><width>20</width><height>10</height><depth>3</depth></size><object><name>bird</name>"
        "<difficult>0</difficult><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>4</xmax><ymax>6</ymax></bndbox>"
        "</object></annotation>",
    ),
    "cvat": (
        "a.xml",
        '<?xml version="1.0" encoding="utf-8"?><annotations><version>1.1</version><image id="0" '
        'name="a.jpg" width="20" height="10"><box label="bird" xtl="1.0" ytl="2.0" xbr="4.0" ybr="6.0" '
        'rotation="30"/><polygon label="bird" points="1,2;4,2;4,6"/><mask label="bird" rle="2, 3, 1" '
        'left="1" top="2" width="3" height="2"/><ellipse label="bird" cx="5" cy="5" rx="2" ry="1"/>'
        '<tag label="bird"/></image><image id="1" name="b.jpg" width="20" height="10"/></annotations>',
    ),
    "labelme": (
        "a.json",
        '{"version": "5.4.1", "flags": {}, "shapes": [{"label": "bird", "points": [[1, 2], [4, 6]],'
        ' "group_id": null, "shape_type": "rectangle"}, {"label": "bird", "points": [[1, 2], [4, 2],'
        ' [4, 6]], "group_id": 1, "shape_type": "polygon"}], "imagePath": "..\\\\images\\\\a.jpg",'
        ' "imageData": null, "imageHeight": 10, "imageWidth": 20}',
    ),
    "labelme outlines": (
        "a.json",
        '{"shapes": [{"label": "bird", "points": [[1, 2], [4, 2], [4, 6]], "group_id": 1,'
        ' "shape_type": "polygon"}, {"label": "c", "points": [[5, 5], [7, 5]], "shape_type": "circle"},'
        ' {"label": "m", "points": [[0, 0], [1, 0]], "shape_type": "mask", "mask": "iVBORw0KGgoAAAANSU'
        'hEUgAAAAIAAAABAQAAAADcWUInAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="}],'
        ' "imagePath": "a.jpg", "imageHeight": 10, "imageWidth": 20}',
    ),
    "yolo outlines": ("a.txt", "0 0.1 0.1 0.9 0.1 0.9 0.9\n1 0.1 0.1 0.5 0.1 0.5 0.5 0.1 0.5 0.75\n"),
    "yolo": ("a.txt", "0 0.5 0.5 0.25 0.5\n1 0.1 0.1 0.9 0.1 0.9 0.9\n0 0.5 0.5 0.2 0.2 0.75\n"),
}
VALUES = (
    *("NaN", "1e999", "-1e999", "1e308", "-5", "0", "-0.0", "9" * 400, "9" * 5000, "null", "true", '""'),
    *("[]", "{}", "[[]]", '"x"', "2147483648", "0.5", "Infinity", "\u0663", "1_0", "a" * 300, "\x00"),
    *("..", "../../x", "C:\\x", "/etc/passwd", "\u2028"),
)
ENCODINGS = ("utf-16", "utf-16-le", "utf-8-sig", "latin-1", "utf-32", "cp037")


def flipped(content: bytes, draw: random.Random) -> bytes:
    """Some bytes replaced."""
    damaged = bytearray(content)
    for _ in range(draw.randint(1, 6)):
        damaged[draw.randrange(len(damaged))] = draw.randrange(256)
    return bytes(damaged)


def cut(content: bytes, draw: random.Random) -> bytes:
    """The end, or a piece, gone."""
    start, end = sorted(draw.randrange(len(content) + 1) for _ in range(2))
    return content[:start] if draw.random() < 0.5 else content[:start] + content[end:]


def replaced(content: bytes, draw: random.Random) -> bytes:
    """Numbers, words or quoted texts replaced by awkward values."""
    text = content.decode()
    places = list(re.finditer(r"-?\d+(\.\d+)?|\"[^\"]*\"|\b[a-zA-Z_]+\b", text))
    for place in sorted(
        draw.sample(places, min(len(places), draw.randint(1, 3))), key=lambda p: -p.start()
    ):
        text = text[: place.start()] + draw.choice(VALUES) + text[place.end() :]
    return text.encode("utf-8", "replace")


def without_piece(content: bytes, draw: random.Random) -> bytes:
    """A tag, an entry or a row taken out, or put in twice."""
    text = content.decode()
    places = list(re.finditer(r"<[^>]*>|\{[^{}]*\}|\[[^\[\]]*\]|[^\n]*\n|\"\w+\": ", text))
    place = draw.choice(places)
    middle = place[0] * draw.choice((0, 0, 2, 50))
    return (text[: place.start()] + middle + text[place.end() :]).encode()


def deep(content: bytes, draw: random.Random) -> bytes:
    """Nested thousands of levels deep."""
    levels = draw.choice((50, 5_000, 100_000))
    if content.startswith(b"<"):
        tag = draw.choice((b"object", b"image", b"a"))
        inner = b"<" + tag + b">"
        middle = inner * levels + (b"</" + tag + b">") * levels
        place = content.index(b"</annotation")
        return content[:place] + middle + content[place:]
    if content[:1] in b"[{":
        nested = b"[" * levels + b"]" * levels
        return content[: content.index(b"[")] + nested + content[content.rindex(b"]") + 1 :]
    return content + b"0 " + b"0.5 " * levels


def encoded(content: bytes, draw: random.Random) -> bytes:
    """In another encoding, declared or not."""
    name = draw.choice(ENCODINGS)
    text = content.decode()
    if draw.random() < 0.5:
        text = text.replace("utf-8", name)
    return text.encode(name, "replace")


def with_entities(content: bytes, draw: random.Random) -> bytes:
    """Entities that stand for entities that stand for ...: XML's bomb."""
    lines = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "ha" * 9}">' for n in range(12))
    bomb = f"<!DOCTYPE annotation [{lines}]>"
    body = content.decode().partition("?>")[2] or content.decode()
    return (bomb + body.replace("bird", "&e11;")).encode(draw.choice(("utf-8", "utf-16")))


DAMAGES: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    *(flipped, flipped, cut, replaced, replaced, replaced, replaced),
    *(without_piece, without_piece, encoded),
)
RARE = (deep, with_entities)


def damaged(content: bytes, draw: random.Random) -> bytes:
    """``content`` after one or two kinds of damage."""
    if draw.random() < 0.02:
        return draw.choice(RARE)(content, draw)
    content = draw.choice(DAMAGES)(content, draw)
    if content and draw.random() < 0.3:
        content = flipped(content, draw)
    return content


def outcome(path: Path, images: Path, manifest: Path | None) -> str:
    """``read``, ``refused``, or a traceback; masks are made too, and where told a manifest."""
    try:
        for image in read_annotations(path, images).values():
            image.mask()
            image.ignore_mask()
            assert image.boxes.shape[1] == 4
        if manifest is not None:
            custom_manifest(images, path, manifest)
    except UserError as error:
        return "refused" if str(error).strip() else "refused without a word"
    except Exception:
        return traceback.format_exc()
    return "read"


def fuzz(
    reader: str, count: int, seed: int, folder: Path, every: int = 20
) -> tuple[Counter[str], float]:
    """How often each outcome came for ``count`` damaged files, and the longest time in seconds.

    Every ``every``-th goes through ``wsol prepare custom`` too.
    """
    draw = random.Random(f"{reader} {seed}")
    images = folder / "images"
    images.mkdir(parents=True, exist_ok=True)
    for name in ("a.jpg", "b.jpg"):
        Image.new("RGB", (20, 10)).save(images / name)
    name, text = SOUND[reader]
    place = folder / reader.replace(" ", "-")
    place.mkdir(exist_ok=True)
    counts: Counter[str] = Counter()
    slowest = 0.0
    for number in range(count):
        content = damaged(text.encode(), draw)
        (place / name).write_bytes(content)
        start = time.perf_counter()
        found = outcome(
            place if number % 2 else place / name,
            images,
            None if number % every else folder / "manifest",
        )
        slowest = max(slowest, time.perf_counter() - start)
        if found not in counts and found not in ("read", "refused"):
            print(f"{reader} {number}: {content[:2000]!r}\n{found}", file=sys.stderr)
        counts[found] += 1
    return counts, slowest


def main() -> int:
    """Print a line for each reader; 1 where anything but a reading or a refusal came."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--reader", nargs="+", choices=list(SOUND), default=list(SOUND))
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        for reader in arguments.reader:
            counts, slowest = fuzz(reader, arguments.count, arguments.seed, Path(folder))
            others = sum(counts.values()) - counts["read"] - counts["refused"]
            bad += others
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(
                f"{reader:<16} {counts['read']:>6} read  {counts['refused']:>6} refused  "
                f"{others} tracebacks  slowest {slowest:.2f} s  peak {peak:.0f} MB",
                flush=True,
            )
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
