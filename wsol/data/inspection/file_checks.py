"""Decoding every file of a manifest, and remembering what was in it while the file stays as it is."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from wsol.data.splits.duplicates import pixel_digest
from wsol.errors import UserError
from wsol.files.pictures.images import UnreachableFile, open_codes, open_image, open_mask
from wsol.files.pictures.mask_file import codes_in
from wsol.files.reading import read_json
from wsol.files.writing.atomic import write_text

CACHE = "check.json"
FORMAT = "wsol check 2"
CHUNK = 4096  # files in flight at a time: what keeps memory flat


class FileCheck(NamedTuple):
    """What a file was found to hold, or how it is damaged.

    ``stamp`` is its size in bytes and its time of change in ns; ``size`` (height, width), (0, 0) where
    it cannot be read; ``content`` the hash of an image's pixels, how many pixels of a mask are set, or
    which codes of parts occur, with commas between; ``problem`` is empty where the file is sound.
    """

    stamp: tuple[int, int]
    size: tuple[int, int]
    content: str
    problem: str


class CheckedFiles:
    """The checks of a manifest's files, kept in its folder as check.json."""

    def __init__(self, folder: Path, *, exif: bool) -> None:
        self.path, self.exif = folder / CACHE, exif
        self.known = _read_cache(self.path)
        self.fresh = 0

    def check(self, files: list[tuple[str, str]], workers: int | None = None) -> Iterator[FileCheck]:
        """The check of each (kind, path), kind being ``image``, ``mask`` or ``codes``, in order.

        Files as they were are not decoded again.
        """
        with ThreadPoolExecutor(workers or os.cpu_count()) as pool:
            remaining = iter(files)
            while chunk := list(itertools.islice(remaining, CHUNK)):
                yield from pool.map(self._check, chunk)

    def write(self) -> None:
        """Remember the checks; ``OSError`` where the folder cannot be written."""
        files = {
            key: [*check.stamp, *check.size, check.content, check.problem]
            for key, check in self.known.items()
        }
        write_text(self.path, json.dumps({"format": FORMAT, "files": files}, sort_keys=True) + "\n")

    def _check(self, file: tuple[str, str]) -> FileCheck:
        kind, path = file
        key = f"{kind} {path}"
        try:
            stat = Path(path).stat()
            stamp = (stat.st_size, stat.st_mtime_ns)
            known = self.known.get(key)
            if known is None or known.stamp != stamp:
                known = _decode(
                    path, stamp, {"image": self._image, "mask": _mask, "codes": _codes}[kind]
                )
                self.known[key] = known
                self.fresh += 1
            return known
        except FileNotFoundError:
            problem = f"{path}: missing"
        except OSError as error:
            problem = f"{path}: cannot be read ({error.strerror})"
        except UnreachableFile as error:
            problem = str(error)
        # The file may be sound: this result is not remembered, and the next check tries again.
        return FileCheck((0, 0), (0, 0), "", problem)

    def _image(self, path: str) -> tuple[tuple[int, int], str]:
        image = open_image(path, exif=self.exif)
        return (image.height, image.width), pixel_digest(image)


def _mask(path: str) -> tuple[tuple[int, int], str]:
    mask = open_mask(path)
    return (mask.shape[0], mask.shape[1]), str(int(mask.sum()))


def _codes(path: str) -> tuple[tuple[int, int], str]:
    codes = open_codes(path)
    return (codes.shape[0], codes.shape[1]), ",".join(map(str, codes_in(codes)))


def _decode(
    path: str, stamp: tuple[int, int], read: Callable[[str], tuple[tuple[int, int], str]]
) -> FileCheck:
    try:
        size, content = read(path)
    except UnreachableFile:
        raise
    except UserError as error:
        return FileCheck(stamp, (0, 0), "", str(error))
    return FileCheck(stamp, size, content, "")


def _read_cache(path: Path) -> dict[str, FileCheck]:
    """Earlier checks; none where the file cannot be read: then everything is decoded again."""
    try:
        content = read_json(path)
        if content["format"] != FORMAT:
            return {}
        return {
            key: FileCheck((size, changed), (height, width), text, problem)
            for key, (size, changed, height, width, text, problem) in content["files"].items()
        }
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}
