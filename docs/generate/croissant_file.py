"""The card and the tables of digits -> datasets/digits/croissant.json, its metadata for other tools.

The file is JSON-LD as Croissant 1.0 of MLCommons says (http://mlcommons.org/croissant/1.0). It
describes the folder that ``wsol prepare digits`` writes with no options; beside those files,
``mlcroissant`` reads them as records. Digits are drawn, not downloaded: no web address holds the tables,
so their ``contentUrl`` is their place in that folder, and their SHA-256 says that they are the same.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any

from croissant_records import FILE_SETS, file_set, record_sets, split_records

from wsol.data.digits.tests import GENERATOR, TESTS, VERSION
from wsol.data.manifest.cards import Card, read_card_file
from wsol.data.manifest.table_files import COLUMNS
from wsol.data.prepare import prepare

CONFORMS_TO = "http://mlcommons.org/croissant/1.0"
PUBLISHED = "2026-11-29"  # version 1 of the generator
LICENCES = (
    "https://creativecommons.org/licenses/by/4.0/",  # the handwritten digits
    "https://creativecommons.org/publicdomain/zero/1.0/",  # brick, grass, gravel
    "https://www.nasa.gov/nasa-brand-center/images-and-media/",  # the Hubble deep field
)
KEYWORDS = (
    "weakly-supervised object localization",
    "class activation maps",
    "diagnostic tests",
    "handwritten digits",
)
# The words of Croissant in the namespace of JSON-LD, as the specification's first appendix lists them.
OF_CROISSANT = (
    *("citeAs", "column", "equivalentProperty", "extract", "field", "fileProperty", "fileObject"),
    *("fileSet", "format", "includes", "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path"),
    *("recordSet", "references", "regex", "repeated", "replace", "samplingRate", "separator", "source"),
    *("subField", "transform"),
)
CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    **{word: f"cr:{word}" for word in OF_CROISSANT},
}


def croissant_text(root: Path) -> str:
    """The whole file. Draws the data set for the hashes of its tables, which takes some seconds."""
    card = read_card_file(root / "datasets" / GENERATOR / "card.toml")
    return json.dumps(croissant(card, table_hashes()), indent=2, ensure_ascii=False) + "\n"


def table_hashes() -> dict[str, str]:
    """SHA-256 of each table that ``wsol prepare digits`` writes."""
    with tempfile.TemporaryDirectory() as folder:
        prepare(GENERATOR, None, Path(folder) / "digits")
        return {
            name: hashlib.sha256((Path(folder) / "digits" / name).read_bytes()).hexdigest()
            for name in COLUMNS
        }


def croissant(card: Card, hashes: dict[str, str]) -> dict[str, Any]:
    """The metadata; ``hashes`` are SHA-256 by the name of a table."""
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS_TO,
        "name": card.title,
        "description": description(),
        "version": f"{VERSION}.0.0",
        "license": list(LICENCES),
        "url": card.page,
        "citeAs": card.citation.strip(),
        "creator": {"@type": "sc:Organization", "name": "The wsol authors"},
        "datePublished": PUBLISHED,
        "keywords": list(KEYWORDS),
        "isLiveDataset": False,
        "distribution": [
            *(_table_file(name, digest) for name, digest in hashes.items()),
            *(file_set(name) for name in FILE_SETS),
        ],
        "recordSet": [split_records(), *record_sets()],
    }


def description() -> str:
    """What the data set is, in a few sentences."""
    tests = "; ".join(f"{test.name}: {test.exposes}" for test in TESTS.values())
    return (
        "Drawn images that each isolate one failure of weakly-supervised object localization, with "
        "exact boxes, masks and part codes. Handwritten digits 0 to 6 are the classes; 7, 8 and 9 are "
        f"things of no class. Seven tests, each with what a low figure exposes: {tests}. This file "
        "describes the test base at its defaults, which `wsol prepare digits` writes; the other tests "
        "have the same tables and folders. Nothing is downloaded."
    )


def _table_file(name: str, digest: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "contentUrl": name,
        "encodingFormat": "text/csv",
        "sha256": digest,
    }
