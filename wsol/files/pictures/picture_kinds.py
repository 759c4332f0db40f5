"""What a file is by its name and first bytes: a picture that is read here, or of another kind."""

from __future__ import annotations

import functools
import os
import stat
from pathlib import Path, PurePath

from PIL import features

# Files of these names are taken for pictures unopened: a folder may hold a million of them.
PICTURE_SUFFIXES = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".jif", ".jpg_large", ".jpeg_large", ".mpo", ".png", ".apng"),
    *(".bmp", ".dib", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm", ".pbm", ".pnm", ".tga"),
    *(".avif", ".jp2", ".j2k", ".jpf", ".jpx", ".j2c", ".jpc", ".pcx", ".sgi", ".qoi", ".ico", ".dds"),
)
# What Pillow reads only where it was built with a library, by what it calls that.
OPTIONAL = {
    **dict.fromkeys((".avif",), "avif"),
    **dict.fromkeys((".jp2", ".j2k", ".jpf", ".jpx", ".j2c", ".jpc"), "jpg_2000"),
    **dict.fromkeys((".webp",), "webp"),
}
HEAD = 140  # so many first bytes tell the kind: DICOM has its mark at 128
MARKS = (  # of files that are read: first bytes
    *(b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*", b"qoif"),
    *(b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51", b"DDS "),
)
RAW = (".cr2", ".cr3", ".crw", ".nef", ".nrw", ".arw", ".sr2", ".dng", ".orf", ".rw2", ".raf", ".pef")
FOREIGN_SUFFIXES = {
    **dict.fromkeys((".heic", ".heif", ".hif"), "HEIC"),
    **dict.fromkeys((".dcm", ".dicom", ".ima"), "DICOM"),
    **dict.fromkeys((*RAW, ".srw", ".x3f", ".3fr", ".raw"), "camera raw"),
    **dict.fromkeys((".svg", ".svgz"), "SVG"),
    **dict.fromkeys((".psd", ".psb"), "PSD"),
    **dict.fromkeys((".eps", ".ai", ".ps"), "PostScript"),
    **dict.fromkeys((".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv"), "video"),
    **dict.fromkeys((".npy", ".npz"), "NumPy array"),
    ".pdf": "PDF",
    ".jxl": "JPEG XL",
    ".exr": "OpenEXR",
    ".hdr": "Radiance HDR",
    ".xcf": "GIMP",
}
FOREIGN_MARKS = (  # of files that are not read: first bytes, kind
    *((b"%PDF", "PDF"), (b"8BPS", "PSD"), (b"\x93NUMPY", "NumPy array"), (b"<svg", "SVG")),
    *((b"\xff\x0a", "JPEG XL"), (b"\0\0\0\x0cJXL ", "JPEG XL"), (b"\x1aE\xdf\xa3", "video")),
    *((b"FUJIFILMCCD-RAW", "camera raw"), (b"IIRO", "camera raw"), (b"IIU\0", "camera raw")),
    *((b"%!PS", "PostScript"), (b"v/1\x01", "OpenEXR"), (b"#?RADIANCE", "Radiance HDR")),
)
# Files of the ISO family (MPEG-4, HEIF, QuickTime) say in bytes 8 to 11 what they hold.
BRANDS = {
    **dict.fromkeys((b"avif", b"avis"), "AVIF"),
    **dict.fromkeys((b"heic", b"heix", b"hevc", b"heim", b"heis", b"hevx", b"mif1", b"msf1"), "HEIC"),
    b"crx ": "camera raw",
}


def is_picture_name(name: str) -> bool:
    """Whether a file is taken for a picture by its name alone, in any letter case."""
    _, dot, suffix = name.lower().rpartition(".")
    suffix = dot + suffix
    return suffix in PICTURE_SUFFIXES and not (suffix in OPTIONAL and not _built_in(OPTIONAL[suffix]))


def is_picture(head: bytes) -> bool:
    """Whether a file that starts with ``head`` (`HEAD` bytes or all) is a picture that is read here."""
    if head.startswith(MARKS):
        return True
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return _built_in("webp")
    if head[4:8] == b"ftyp":
        return _brand(head) == "AVIF" and _built_in("avif")
    if head[:2] == b"BM":  # letters that text may start with, so the size of the header is looked at
        return head[14:18] in (b"\x0c\0\0\0", b"\x28\0\0\0", b"\x6c\0\0\0", b"\x7c\0\0\0")
    return head[:1] == b"P" and head[1:2] in b"123456" and head[2:3] in (b"\n", b"\r", b" ", b"\t")


def foreign_kind(name: str, head: bytes) -> str:
    """The kind of a picture that is not read here, e.g. HEIC; empty where it looks like none.

    The bytes go before the name, but for camera raw, most of which starts as a TIFF does.
    """
    suffix = PurePath(name).suffix.lower()
    named = FOREIGN_SUFFIXES.get(suffix, "")
    if named == "camera raw" and head[:4] in (b"II*\0", b"MM\0*"):
        return named
    if is_picture(head):
        return ""
    for mark, kind in FOREIGN_MARKS:
        if head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(mark):
            return kind
    if head[4:8] == b"ftyp":
        return _brand(head)
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return "video"
    if head[128:132] == b"DICM":
        return "DICOM"
    if head.lstrip().startswith(b"<?xml") and b"<svg" in head:
        return "SVG"
    return named or ("WebP" if head[:4] == b"RIFF" and head[8:12] == b"WEBP" else "")


def read_head(path: str | os.PathLike[str]) -> bytes:
    """The first `HEAD` bytes; none of what is no file or cannot be read."""
    try:
        if not stat.S_ISREG(Path(path).stat().st_mode):
            return b""
        with Path(path).open("rb") as file:
            return file.read(HEAD)
    except OSError:
        return b""


def _brand(head: bytes) -> str:
    return BRANDS.get(head[8:12], "video")


@functools.cache
def _built_in(library: str) -> bool:
    return bool(features.check(library))
