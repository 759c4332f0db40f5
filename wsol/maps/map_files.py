"""Which file of a folder is the score map of which image, however frameworks name them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import PurePosixPath

SUFFIXES = (".npy", ".npz")
# The reference writes the map of a/1.jpg as a/1.jpg.npy.
PICTURES = {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm"}
# What else people keep maps in, and how to make it readable.
OTHERS = {
    ".pt": "tensors of torch; save them with numpy.save(path, tensor.cpu().numpy())",
    ".pth": "tensors of torch; save them with numpy.save(path, tensor.cpu().numpy())",
    ".png": "pictures, which hold colours or 256 steps; save the values themselves with numpy.save",
    ".jpg": "pictures, which hold colours or 256 steps; save the values themselves with numpy.save",
    ".pkl": "Python objects, which are not opened; save arrays with numpy.save",
    ".mat": "MATLAB's; save arrays with numpy.save",
    ".h5": "HDF5; save one array an image with numpy.save",
}


class MapFiles:
    """The file of each image.

    ``a/1.npy``, ``a/1.jpg.npy`` and ``a/1.JPEG.npy`` are of the image ``a/1``, and of ``a/1.jpg``; so is
    ``1.npy`` beside no folder, where no other image is called so. A file that is called exactly as an
    image goes before. ``of`` is {image id: file}, ``unmatched`` the files of no image, ``findings``
    names two files of one image, and files that may be of several.
    """

    def __init__(self, files: Iterable[str], image_ids: Sequence[str]) -> None:
        self.findings: list[str] = []
        files = list(files)
        candidates: defaultdict[str, list[str]] = defaultdict(list)
        rules = [_Names(image_ids, str), _Names(image_ids, _bare), _Names(image_ids, _base)]
        self.unmatched: list[str] = []
        for file in files:
            name = file[: -len(SUFFIXES[0])]
            flat = "/" not in file
            found = next((own for rule in rules[: 2 + flat] if (own := rule.ids(name))), [])
            if len(found) == 1:
                candidates[found[0]].append(file)
            else:
                self.unmatched.append(file)
            if len(found) > 1:
                self.findings.append(
                    f"{file}: may be of {' or '.join(found[:3])}; name it as the image, with its folder"
                )
        self.of = {image_id: own[0] for image_id, own in candidates.items()}
        for first, *others in candidates.values():
            self.findings += [f"{other}: {first} is there too; keep one" for other in others]


class _Names:
    """Images by a shorter form of their ids."""

    def __init__(self, image_ids: Sequence[str], shorten: Callable[[str], str]) -> None:
        self.shorten = shorten
        self.found: defaultdict[str, list[str]] = defaultdict(list)
        for image_id in image_ids:
            self.found[shorten(image_id)].append(image_id)

    def ids(self, name: str) -> list[str]:
        return self.found.get(self.shorten(name), [])


def other_kinds(names: Iterable[str]) -> list[str]:
    """What a folder without maps holds instead, a line a kind: ``12 .pt files are tensors of torch``."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for name in names:
        suffix = PurePosixPath(name).suffix.lower()
        if suffix in OTHERS:
            found[suffix].append(name)
    return [
        f"{len(own)} {suffix} files ({own[0]}) are {OTHERS[suffix]}" for suffix, own in found.items()
    ]


def _bare(name: str) -> str:
    path = PurePosixPath(name)
    return path.with_suffix("").as_posix() if path.suffix.lower() in PICTURES else name


def _base(name: str) -> str:
    return PurePosixPath(_bare(name)).name
