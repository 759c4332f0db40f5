"""The classes of YOLO's labels: ``data.yaml`` or a list of names near them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from wsol.data.annotations.kinds.text_kinds import CLASS_FILES
from wsol.errors import UserError
from wsol.files.reading import read_regular

LARGEST = 2**20  # bytes
ABOVE = 2  # folders above the given one in which classes are looked for
YAML_FILES = ("data.yaml", "dataset.yaml", "data.yml", "dataset.yml")


@dataclass(frozen=True)
class Classes:
    """Names by class id, the file that has them, and whether rows end in keypoints."""

    names: dict[int, str] = field(default_factory=dict)
    path: Path | None = None
    keypoints: bool = False


class ClassFinder:
    """Finds the classes of labels by their folder: in it or above it, the nearest first."""

    def __init__(self, root: Path, findings: list[str]) -> None:
        root = root.absolute()
        self.top = [root, *root.parents][: ABOVE + 1][-1]
        self.findings = findings
        self._found: dict[Path, Classes] = {}

    def of(self, folder: Path) -> Classes:
        """The classes of labels in ``folder``; without names where no file tells them."""
        folder = folder.absolute()
        if folder not in self._found:
            found = self._inside(folder)
            if found is None:
                above = folder != self.top and folder.parent != folder
                found = self.of(folder.parent) if above else Classes()
            self._found[folder] = found
        return self._found[folder]

    def _inside(self, folder: Path) -> Classes | None:
        try:
            names = {path.name for path in folder.iterdir()}
        except OSError:
            return None
        others = sorted(name for name in names if name.lower().endswith((".yaml", ".yml")))
        for name in [name for name in YAML_FILES if name in names] + others:
            if found := self._tried(read_data_yaml, folder / name):
                return found
        for name in CLASS_FILES:
            if name in names and (found := self._tried(read_class_list, folder / name)):
                return found
        return None

    def _tried(self, read, path: Path) -> Classes | None:
        try:
            return read(path)
        except UserError as error:
            if path.name in (*YAML_FILES, *CLASS_FILES):
                self.findings.append(str(error))
            return None


def read_data_yaml(path: Path) -> Classes | None:
    """The classes of a ``data.yaml``; None where it names none."""
    content = load_yaml(path)
    if not isinstance(content, dict) or content.get("names") is None:
        return None
    names = content["names"]
    items = names.items() if isinstance(names, dict) else enumerate(names) if _is_list(names) else ()
    found = {_whole(key): str(name) for key, name in items if isinstance(name, str | int | float)}
    if not found or None in found:
        raise UserError(f"{path}: names is neither a list of names nor names by class id")
    known = {key: name.strip() for key, name in found.items() if key is not None}
    return Classes(known, path, keypoints="kpt_shape" in content)


def read_class_list(path: Path) -> Classes | None:
    """The classes of a list, a name a line; None where it is empty."""
    text = _text(path)
    names = [line.strip() for line in text.splitlines()]
    while names and not names[-1]:
        names.pop()
    return Classes(dict(enumerate(names)), path) if names else None


def load_yaml(path: Path) -> Any:
    """The content of a YAML file; ``UserError`` where it is none."""
    try:
        return yaml.safe_load(_text(path))
    except (yaml.YAMLError, ValueError, RecursionError, TypeError) as error:
        reason = " ".join(str(error).split())[:120]
        raise UserError(f"{path}: not YAML ({reason})") from error


def _text(path: Path) -> str:
    try:
        return read_regular(path, LARGEST).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8 text ({error.reason})") from error


def _is_list(names: object) -> bool:
    return isinstance(names, list)


def _whole(key: object) -> int | None:
    try:
        return int(key) if isinstance(key, int | str) and not isinstance(key, bool) else None
    except ValueError:
        return None
