"""Which class and split each of one's own images belongs to: by its annotation, else by its folder."""

from __future__ import annotations

from pathlib import PurePosixPath

from wsol.data.annotated import AnnotatedImage, AnnotatedObject

SPLITS = ("train", "val", "test")
CONTAINERS = ("images", "Images", "JPEGImages")  # folders that hold images and name no class


class Listing:
    """Label, split and scored objects of each image.

    ``labels`` and ``splits`` are by file; a label is empty where nothing says it; ``classes`` are all
    labels sorted, ``numbers`` their places. Annotated images go to ``split``, the others to train,
    unless the annotation or a folder called train, val or test says otherwise.
    """

    def __init__(self, files: list[str], annotated: dict[str, AnnotatedImage], split: str) -> None:
        self.annotated = annotated
        folders = {file: _folders(file) for file in files}
        by_folder = all(names and names[0] in SPLITS for names in folders.values())
        self.labels: dict[str, str] = {}
        self.splits: dict[str, str] = {}
        for file, names in folders.items():
            said = annotated.get(file)
            own = names.pop(0) if by_folder else ""
            self.splits[file] = (said.split if said else "") or own or (split if said else "train")
            self.labels[file] = _label(said, names[0] if names else "")
        classes = set(self.labels.values()) - {""}
        if len(classes) == 1:
            # With one class an image without object is its noise, as in Object Discovery.
            self.labels = dict.fromkeys(files, classes.pop())

        self.classes = sorted(set(self.labels.values()) - {""})
        self.numbers = {name: number for number, name in enumerate(self.classes)}

    def notes(self) -> list[str]:
        """What was decided about images with objects of several classes."""
        several = sum(len(said.categories) > 1 for said in self.annotated.values())
        if not several:
            return []
        return [
            f"{several} images show objects of several classes: the label is the folder's class or "
            "the one whose boxes cover most, and only its objects are kept"
        ]

    def objects(self, file: str) -> list[AnnotatedObject]:
        """The image's objects that are of its class or of none, and what is not scored."""
        said = self.annotated.get(file)
        if said is None:
            return []
        if len(said.categories) < 2:
            return list(said.objects)
        return [item for item in said.objects if item.ignore or item.category in ("", self.labels[file])]


def _label(said: AnnotatedImage | None, folder: str) -> str:
    if said is None:
        return folder
    names = said.categories
    return said.label or (folder if folder in names else "") or next(iter(names), folder)


def _folders(file: str) -> list[str]:
    """The folders an image lies in, without those that only say that images lie there."""
    return [name for name in PurePosixPath(file).parent.parts if name not in CONTAINERS]
