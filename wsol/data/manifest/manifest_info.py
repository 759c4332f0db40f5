"""manifest.json: what a manifest's folder is, and the hash by which its data set is known."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wsol.data.manifest.table_files import COLUMNS
from wsol.data.manifest.validation import bad_part_names
from wsol.errors import UserError
from wsol.files.reading import read_json
from wsol.files.writing.atomic import write_text
from wsol.scores.records import digest

FORMAT = "wsol manifest 1"
TABLES = tuple(COLUMNS)


def read_info(folder: Path) -> dict[str, Any]:
    """The content of manifest.json; ``UserError`` where there is none or it is none of ours."""
    path = folder / "manifest.json"
    try:
        info = read_json(path)
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(f"{folder}: no manifest there; make one with `wsol prepare`") from None
    if not isinstance(info, dict) or info.get("format") != FORMAT:
        raise UserError(f'{path}: not a manifest of this version (its "format" must be {FORMAT!r})')
    if not isinstance(info.get("root"), str):
        raise UserError(f'{path}: "root", the folder of the images, is missing')
    return info


def images_root(folder: Path, info: dict[str, Any]) -> Path:
    """Where images lie. A relative root starts at the manifest, so that both can be moved together."""
    root = info["root"]
    try:
        return (folder / root).resolve()
    except (OSError, ValueError) as error:
        raise UserError(f'{folder / "manifest.json"}: "root" {root!r} is no folder ({error})') from error


def part_names_of(folder: Path, info: dict[str, Any]) -> dict[int, str]:
    """The names of part codes in manifest.json, by code; ``UserError`` lists what is wrong with them."""
    path, given = folder / "manifest.json", info.get("parts", {})
    if not isinstance(given, dict):
        raise UserError(f'{path}: "parts" must name codes, e.g. {{"1": "deciding"}}')
    if findings := bad_part_names(given):
        raise UserError.of([f'{path}: "parts": {finding}' for finding in findings])
    return {int(code): name for code, name in given.items()}


def queries_of(folder: Path, info: dict[str, Any]) -> bool:
    """Whether manifest.json says that images are scored by queries; ``UserError`` where unclear."""
    given = info.get("queries", False)
    if not isinstance(given, bool):
        raise UserError(f'{folder / "manifest.json"}: "queries" must be true or false, not {given!r}')
    return given


def tables_hash(
    folder: Path,
    *,
    exif: bool,
    part_names: Mapping[int, str] | None = None,
    drawn: Mapping[str, Any] | None = None,
    queries: bool = False,
) -> str:
    """SHA-256 of the tables and of how pictures are turned, with what else some manifests say.

    That are the names of parts, what a generator drew the images by, and whether they are scored by
    queries.

    This is the identity of a data set.
    """
    content: dict[str, Any] = {"exif": exif}
    if part_names:
        content["parts"] = part_names
    if drawn:
        content["drawn"] = drawn
    if queries:
        content["queries"] = True
    for table in TABLES:
        with (folder / table).open("rb") as file:
            content[table] = hashlib.file_digest(file, "sha256").hexdigest()
    return digest(content)


def write_info(folder: Path, info: dict[str, Any]) -> None:
    """Write manifest.json whole or not at all."""
    write_text(
        folder / "manifest.json", json.dumps(info, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    )
