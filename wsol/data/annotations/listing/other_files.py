"""What lies beside images and is none that is read here: counted by kind, so that nothing is silent."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePath

from wsol.files.pictures.picture_kinds import foreign_kind, is_picture, read_head

# Names of files that annotations come in; these are not looked into.
ANNOTATIONS = (".json", ".jsonl", ".xml", ".csv", ".tsv", ".txt", ".yaml", ".yml")
# Names that say what a file is, and that it is no image.
KNOWN = (
    *ANNOTATIONS,
    *(".md", ".html", ".log", ".py", ".ipynb", ".sh", ".zip", ".tar", ".gz", ".7z", ".rar", ".pt"),
    *(".pth", ".pkl", ".safetensors", ".onnx", ".h5", ".hdf5", ".mat", ".parquet", ".xlsx", ".docx"),
    *(".cache", ".lock", ".db", ".ini"),
)
SYSTEM = ("thumbs.db", "desktop.ini", "icon\r", "ehthumbs.db")  # what file managers leave everywhere


class OtherFiles:
    """Tells images by their content where the name does not, and counts the rest.

    ``given`` are resolved paths of annotations: files that these are, or that lie below and have a
    name of annotations, are not counted.
    """

    def __init__(self, root: Path, given: Iterable[Path]) -> None:
        self.root, self.given = root, set(given)
        self.foreign: dict[str, list[str]] = {}
        self.rest: dict[str, list[str]] = {}
        self._place: Path | None = None
        self._resolved, self._below_given = root, False

    def is_image(self, place: Path, name: str) -> bool:
        """Whether ``place/name``, which is not named as an image, is one; if not, it is counted."""
        suffix = PurePath(name).suffix.lower()
        if name.lower() in SYSTEM or self._is_given(place, name, suffix):
            return False
        path = place / name
        head = b"" if suffix in KNOWN else read_head(path)
        if kind := foreign_kind(name, head):
            self.foreign.setdefault(kind, []).append(self._below(path))
            return False
        if is_picture(head):
            return True
        self.rest.setdefault(suffix or "without suffix", []).append(self._below(path))
        return False

    def notes(self) -> list[str]:
        """A line for pictures that are not read here, and one for what is no picture."""
        found = []
        if count := sum(map(len, self.foreign.values())):
            found.append(
                f"{_files(count)} left out, of kinds that are not read here: {_kinds(self.foreign)}; "
                "save them as PNG or JPEG"
            )
        if count := sum(map(len, self.rest.values())):
            found.append(f"{_files(count)} left out as no images: {_kinds(self.rest)}")
        return found

    def _is_given(self, place: Path, name: str, suffix: str) -> bool:
        if not self.given:
            return False
        if place != self._place:  # resolving asks the system: once a folder, not once a file
            self._place, self._resolved = place, place.resolve()
            self._below_given = any(map(self._resolved.is_relative_to, self.given))
        if self._below_given and suffix in ANNOTATIONS:
            return True
        return self._resolved / name in self.given

    def _below(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()


def _files(count: int) -> str:
    return f"{count:,} file{'' if count == 1 else 's'}"


def _kinds(files: dict[str, list[str]]) -> str:
    ordered = sorted(files.items(), key=lambda item: (-len(item[1]), item[0]))
    return ", ".join(f"{len(names):,} {kind} (e.g. {min(names)})" for kind, names in ordered)
