"""wsolevaluation's metadata (Choe et al. 2020): four text tables a split."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from wsol.data.manifest.box_conventions import half_open
from wsol.data.manifest.manifest_draft import DraftBox
from wsol.data.manifest.validation import bad_name
from wsol.errors import UserError
from wsol.files.text_tables import numbers, read_lines, whole_number


@dataclass
class MetadataSplit:
    """The tables of one split, each by the official image id (a path with suffix).

    ``labels`` by id in the table's order; ``sizes`` (height, width), empty for OpenImages; ``boxes``
    with the file's own numbers as source; ``masks`` pairs (mask, ignore); ``where`` the id's line.
    """

    labels: dict[str, int] = field(default_factory=dict)
    sizes: dict[str, tuple[int, int]] = field(default_factory=dict)
    boxes: dict[str, list[DraftBox]] = field(default_factory=dict)
    masks: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    where: dict[str, str] = field(default_factory=dict)


def is_metadata(folder: Path) -> bool:
    """Whether ``folder`` holds the tables of a split."""
    return (folder / "image_ids.txt").is_file() or (folder / "class_labels.txt").is_file()


def read_metadata(folder: Path, findings: list[str], *, convention: str = "inclusive") -> MetadataSplit:
    """Read one split's folder; what is wrong with its lines goes to ``findings``.

    The files have no newline at their end; image_sizes.txt and localization.txt may be empty or missing.
    ``convention`` says what x1, y1 mean, see `half_open`. Raises ``UserError`` where class_labels.txt is
    missing.
    """
    split = MetadataSplit()
    for where, (image_id, label) in _rows(folder / "class_labels.txt", 2, findings):
        if problem := bad_name(image_id, "image id"):
            findings.append(f"{where}: {problem}")
        elif image_id in split.labels:
            findings.append(f"{where}: {image_id!r} is already in {split.where[image_id]}")
        elif (number := whole_number(label)) is None:
            findings.append(f"{where}: {label[:40]!r} is not a class number")
        else:
            split.labels[image_id], split.where[image_id] = number, where
    _check_ids(folder / "image_ids.txt", split, findings)
    _read_sizes(folder / "image_sizes.txt", split, findings)
    _read_localization(folder / "localization.txt", split, convention, findings)
    return split


def _check_ids(path: Path, split: MetadataSplit, findings: list[str]) -> None:
    if not path.is_file():
        return
    listed = {text: f"{path} line {line}" for line, text in read_lines(path)}
    findings += [
        f"{where}: {name!r} has no label" for name, where in listed.items() if name not in split.labels
    ]
    findings += [
        f"{where}: {name!r} is not in image_ids.txt"
        for name, where in split.where.items()
        if name not in listed
    ]


def _read_sizes(path: Path, split: MetadataSplit, findings: list[str]) -> None:
    for where, (image_id, *texts) in _rows(path, 3, findings, required=False):
        width, height = map(whole_number, texts)
        if not width or not height:
            findings.append(f"{where}: size {texts[0][:40]!r} x {texts[1][:40]!r} is not in pixels")
        elif image_id not in split.labels:
            findings.append(f"{where}: {image_id!r} is not among the images")
        elif image_id in split.sizes:
            findings.append(f"{where}: {image_id!r} has a size already")
        else:
            split.sizes[image_id] = height, width


def _read_localization(path: Path, split: MetadataSplit, convention: str, findings: list[str]) -> None:
    """Rows ``id,x0,y0,x1,y1`` or ``id,mask,ignore``; the latter may be without ignore mask."""
    for where, (image_id, *values) in _rows(path, (3, 5), findings, required=False):
        if image_id not in split.labels:
            findings.append(f"{where}: {image_id!r} is not among the images")
        elif len(values) == 2:
            problems = [bad_name(name, "mask") for name in values if name]
            findings += [f"{where}: {problem}" for problem in problems if problem]
            split.masks.setdefault(image_id, []).append((values[0], values[1]))
        elif (source := numbers(values, where, findings)) is not None:
            x0, y0, x1, y1 = source
            box = DraftBox(half_open(source, convention), (x0, y0, x1, y1), where)
            split.boxes.setdefault(image_id, []).append(box)


def _rows(path: Path, cells: int | tuple[int, ...], findings: list[str], *, required: bool = True):
    """``file line n`` and the cells of each line that has as many as asked for."""
    if not path.is_file():
        if required:
            raise UserError(f"{path}: missing")
        return
    allowed = (cells,) if isinstance(cells, int) else cells
    for line, text in read_lines(path):
        values = [value.strip() for value in text.split(",")]
        where = f"{path} line {line}"
        if len(values) in allowed:
            yield where, values
        else:
            findings.append(
                f"{where}: {len(values)} values where there should be {' or '.join(map(str, allowed))}"
            )
