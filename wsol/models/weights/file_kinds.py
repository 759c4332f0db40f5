"""What a file is that was given as weights and is none, by its first bytes, and how to mend that."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

# First bytes of formats of other projects: what it is, and what to do.
MAGIC: dict[bytes, tuple[str, str]] = {
    b"version https://git-lfs": (
        "a Git LFS pointer, not the file it stands for",
        "fetch the file with `git lfs pull`",
    ),
    b"\x89HDF\r\n\x1a\n": (
        "an HDF5 file (Keras .h5)",
        "convert it to PyTorch's names and save a .safetensors",
    ),
    b"\x93NUMPY": ("a NumPy array", "give a table of tensors by name, as .safetensors or .pth"),
    b"\x1f\x8b": ("packed with gzip", "unpack it first"),
    b"BZh": ("packed with bzip2", "unpack it first"),
    b"\xfd7zXZ": ("packed with xz", "unpack it first"),
    b"7z\xbc\xaf": ("a 7z archive", "unpack it first"),
    b"GGUF": ("a GGUF file of a language model", "give weights as .safetensors or .pth"),
    b"%PDF": ("a PDF file", "give weights as .safetensors or .pth"),
}
# The last bytes of a TensorFlow checkpoint's index.
TENSORFLOW_INDEX = b"\x57\xfb\x80\x8b\x24\x75\x47\xdb"
CONVERT = "convert it to PyTorch's names and save a .safetensors"
EXPORTED = "give the PyTorch weights that it was exported from, as .safetensors or .pth"


def other_kind(path: Path) -> str:
    """What the file is and how to mend it, in words; empty where it may be a file of weights."""
    with path.open("rb") as file:
        start = file.read(4096)
        file.seek(max(path.stat().st_size - 8, 0))
        end = file.read()
    for magic, (what, mend) in MAGIC.items():
        if start.startswith(magic):
            return f"{what}: {mend}"
    if start[257:262] == b"ustar":
        return "a tar archive: unpack it, and give the file of weights inside"
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n")[:512].lower()
    if text.startswith((b"<!doctype html", b"<html", b"<head", b"<?xml")):
        return "a web page (HTML or XML), as a server sends instead of a file: download the file again"
    if text.startswith((b"{", b"[")):
        return _json(path)
    if start.startswith(b"PK"):
        return _archive(path)
    return _protobuf(path, start, end)


def is_safetensors(path: Path) -> bool:
    """Whether the file begins as .safetensors does, whatever its name: a length, then JSON."""
    with path.open("rb") as file:
        start = file.read(9)
    return len(start) == 9 and start[8:] == b"{" and int.from_bytes(start[:8], "little") < 100_000_000


def _json(path: Path) -> str:
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return "text, no weights: give weights as .safetensors or .pth"
    if isinstance(content, dict) and isinstance(table := content.get("weight_map"), dict):
        shards = sorted({str(name) for name in table.values()})
        return (
            f"the index of weights in {len(shards)} files ({', '.join(shards[:3])}"
            f"{', ...' if len(shards) > 3 else ''}): save the tensors of these as one .safetensors"
        )
    return "a JSON file, no weights: give weights as .safetensors or .pth"


def _archive(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    # NotImplementedError is zipfile's word for archives of versions that it does not know.
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return ""  # cut off, or no archive of torch's: its reader says so
    ends = [name.rpartition("/")[2] for name in names]
    if any("/code/" in f"/{name}" for name in names) and "constants.pkl" in ends:
        return (
            "a TorchScript archive: where you trust it, run "
            "torch.save(torch.jit.load(FILE).state_dict(), 'weights.pth')"
        )
    if "data.pkl" in ends:
        return ""
    if "model.weights.h5" in ends:
        return f"a Keras file: {CONVERT}"
    if names and all(name.endswith(".npy") for name in names):
        return "NumPy arrays (.npz): save them as tensors in a .safetensors"
    shown = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
    return f"a zip archive without weights of torch ({shown}): unpack it, and give the file inside"


def _protobuf(path: Path, start: bytes, end: bytes) -> str:
    name = path.name.lower()
    if start[4:8] == b"TFL3":
        return f"a TensorFlow Lite file: {CONVERT}"
    # A ModelProto: field 1 is its version, then the producer's name or the set of operators.
    onnx = len(start) > 3 and start[0] == 0x08 and start[1] < 0x20 and start[2] in (0x12, 0x3A, 0x42)
    if onnx or name.endswith(".onnx"):
        return f"an ONNX file: {EXPORTED}"
    if end == TENSORFLOW_INDEX or name.endswith((".pb", ".index", ".meta")) or ".data-0" in name:
        return f"a TensorFlow file: {CONVERT}"
    return ""
