"""The tables and pictures of a manifest of digits as record sets of Croissant."""

from __future__ import annotations

from typing import Any

from wsol.data.manifest.table_files import COLUMNS, OPTIONAL

# Folders of pictures: the column that holds their paths, and what a picture is.
FILE_SETS = {
    "images": ("images.csv", "path", "grey images, 8 bits a pixel"),
    "masks": ("masks.csv", "mask", "masks of the objects of the image's class: 255 is object, 0 is not"),
    "parts": (
        "masks.csv",
        "parts",
        "part codes, one a pixel; manifest.json names them, 0 is the ground",
    ),
}

# Of each column its type, and what it says.
TEXT, WHOLE, NUMBER = "sc:Text", "sc:Integer", "sc:Float"
SAID = {
    "images.csv": {
        "image_id": (TEXT, "name of the image"),
        "path": (TEXT, "file of the image, from this folder"),
        "label": (WHOLE, "class of the image"),
        "width": (WHOLE, "of the image, in pixels"),
        "height": (WHOLE, "of the image, in pixels"),
        "split": (TEXT, "train, val or test"),
    },
    "boxes.csv": {
        "image_id": (TEXT, "image that the box is in"),
        "x0": (NUMBER, "left side of the box, in pixels, half-open"),
        "y0": (NUMBER, "upper side of the box"),
        "x1": (NUMBER, "first column right of the box"),
        "y1": (NUMBER, "first row below the box"),
        **{
            f"source_{side}": (NUMBER, f"{side} as its source has it")
            for side in ("x0", "y0", "x1", "y1")
        },
        "label": (WHOLE, "class of the object"),
        "instance": (WHOLE, "number of the object in its image"),
    },
    "masks.csv": {
        "image_id": (TEXT, "image that the mask is of"),
        "mask": (TEXT, "file of the mask, from this folder"),
        "ignore": (TEXT, "file of what is not scored; empty, as there is no such pixel"),
        "parts": (TEXT, "file of the part codes, from this folder"),
    },
    "classes.csv": {
        "label": (WHOLE, "number of the class"),
        "name": (TEXT, "name of the class"),
        "key": (TEXT, "the digit"),
    },
}
KEYS = {
    "images.csv": ("image_id",),
    "boxes.csv": ("image_id", "instance"),
    "masks.csv": ("image_id",),
    "classes.csv": ("label",),
}
# Of images.csv the column is named, not the field: mlcroissant cannot join to records that are joined.
IMAGE = {"fileObject": {"@id": "images.csv"}, "extract": {"column": "image_id"}}
REFERS = {
    ("images.csv", "label"): {"field": {"@id": "classes/label"}},
    ("images.csv", "split"): {"field": {"@id": "splits/name"}},
    ("boxes.csv", "image_id"): IMAGE,
    ("boxes.csv", "label"): {"field": {"@id": "classes/label"}},
    ("masks.csv", "image_id"): IMAGE,
}
SPLITS = {"train": "cr:TrainingSplit", "val": "cr:ValidationSplit", "test": "cr:TestSplit"}


def file_set(name: str) -> dict[str, Any]:
    """The pictures in the folder ``name``, of all splits."""
    return {
        "@type": "cr:FileSet",
        "@id": f"{name}-files",
        "name": f"{name}-files",
        "description": FILE_SETS[name][2],
        "encodingFormat": "image/png",
        "includes": f"{name}/**/*.png",
    }


def record_sets() -> list[dict[str, Any]]:
    """A record set for each table, one field a column, and one for each folder of pictures."""
    return [
        *(_table_records(table) for table in COLUMNS),
        *(_picture_records(name) for name in FILE_SETS),
    ]


def split_records() -> dict[str, Any]:
    """The splits by their names in images.csv."""
    return {
        "@type": "cr:RecordSet",
        "@id": "splits",
        "name": "splits",
        "dataType": "cr:Split",
        "key": {"@id": "splits/name"},
        "field": [
            _field("splits/name", TEXT, "name of the split"),
            _field("splits/url", "sc:URL", "what it is for"),
        ],
        "data": [{"splits/name": name, "splits/url": url} for name, url in SPLITS.items()],
    }


def _table_records(table: str) -> dict[str, Any]:
    name = table.removesuffix(".csv")
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "key": [{"@id": f"{name}/{column}"} for column in KEYS[table]],
        "field": [_column(table, column) for column in (*COLUMNS[table], *OPTIONAL.get(table, ()))],
    }


def _column(table: str, column: str) -> dict[str, Any]:
    kind, words = SAID[table][column]
    field = _field(f"{table.removesuffix('.csv')}/{column}", kind, words)
    field["source"] = {"fileObject": {"@id": table}, "extract": {"column": column}}
    if target := REFERS.get((table, column)):
        field["references"] = target
    return field


def _picture_records(name: str) -> dict[str, Any]:
    """The pictures of a folder with their paths as the table has them."""
    table, column, words = FILE_SETS[name]
    owner = {"fileSet": {"@id": f"{name}-files"}}
    path = _field(f"{name}-pixels/path", TEXT, f"file, as the column {column} of {table} has it")
    path["source"] = {**owner, "extract": {"fileProperty": "fullpath"}}
    pixels = _field(f"{name}-pixels/content", "sc:ImageObject", words)
    pixels["source"] = {**owner, "extract": {"fileProperty": "content"}}
    return {
        "@type": "cr:RecordSet",
        "@id": f"{name}-pixels",
        "name": f"{name}-pixels",
        "key": {"@id": f"{name}-pixels/path"},
        "field": [path, pixels],
    }


def _field(identity: str, kind: str, words: str) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": identity,
        "name": identity,
        "description": words,
        "dataType": kind,
    }
