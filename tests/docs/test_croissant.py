"""datasets/digits/croissant.json: up to date, whole as Croissant 1.0 asks, and true of the files."""

import csv
import hashlib
import json
from fnmatch import fnmatch
from pathlib import Path

import pytest

from wsol.data.layouts import DATASETS
from wsol.data.manifest.cards import read_card
from wsol.data.prepare import prepare

ROOT = Path(__file__).resolve().parents[2]
REQUIRED = {"@context", "@type", "conformsTo", "name", "description", "license", "url", "creator"}
REQUIRED |= {"datePublished", "distribution"}


@pytest.fixture(scope="module")
def committed():
    return json.loads((ROOT / "datasets/digits/croissant.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A small manifest: of the same tables and folders as the whole one."""
    path = tmp_path_factory.mktemp("digits") / "set"
    prepare("digits", None, path, options=DATASETS.get("digits").options(train=2, val=2, images=3))
    return path


def files(committed):
    return {one["@id"]: one for one in committed["distribution"] if one["@type"] == "cr:FileObject"}


def fields(committed):
    return {field["@id"]: field for records in committed["recordSet"] for field in records["field"]}


def test_it_is_what_card_and_tests_say_now(generate, committed):
    hashes = {name: file["sha256"] for name, file in files(committed).items()}
    assert generate("croissant_file").croissant(read_card("digits"), hashes) == committed, (
        "run python docs/generate"
    )


def test_its_hashes_are_those_of_the_tables_of_a_bare_prepare(committed, tmp_path):
    prepare("digits", None, tmp_path / "set")
    for name, file in files(committed).items():
        drawn = hashlib.sha256((tmp_path / "set" / name).read_bytes()).hexdigest()
        assert drawn == file["sha256"], f"{name}: run python docs/generate"


def test_what_the_specification_requires_is_there(committed):
    assert committed.keys() >= REQUIRED
    assert committed["@type"] == "sc:Dataset"
    assert committed["conformsTo"] == "http://mlcommons.org/croissant/1.0"
    assert committed["@context"]["@vocab"] == "https://schema.org/"
    assert committed["@context"]["cr"] == "http://mlcommons.org/croissant/"
    assert all(url.startswith("https://") for url in committed["license"])
    assert all(file.keys() >= {"contentUrl", "encodingFormat"} for file in files(committed).values())
    sets = [one for one in committed["distribution"] if one["@type"] == "cr:FileSet"]
    assert len(sets) == 3 and all(one.keys() >= {"includes", "encodingFormat"} for one in sets)
    nodes = [*committed["distribution"], *committed["recordSet"], *fields(committed).values()]
    ids = [node["@id"] for node in nodes]
    assert len(ids) == len(set(ids))


def test_every_reference_has_its_target(committed):
    known = {node["@id"] for node in [*committed["distribution"], *committed["recordSet"]]}
    known |= fields(committed).keys()

    def references(node):
        if isinstance(node, dict):
            if node.keys() == {"@id"}:
                yield node["@id"]
            for value in node.values():
                yield from references(value)
        elif isinstance(node, list):
            for value in node:
                yield from references(value)

    found = list(references({key: committed[key] for key in ("distribution", "recordSet")}))
    assert len(found) > 30 and set(found) <= known


def test_each_column_of_the_written_tables_is_a_field(committed, folder):
    """`ignore` too, and no other: read from the headers of the files."""
    told = {
        (field["source"]["fileObject"]["@id"], field["source"]["extract"]["column"])
        for field in fields(committed).values()
        if "fileObject" in field.get("source", {})
    }
    written = set()
    for table in files(committed):
        with (folder / table).open(encoding="utf-8", newline="") as file:
            written |= {(table, column) for column in next(csv.reader(file))}
    assert told == written


def test_each_picture_is_in_one_file_set(committed, folder):
    patterns = [one["includes"] for one in committed["distribution"] if one["@type"] == "cr:FileSet"]
    pictures = [path.relative_to(folder).as_posix() for path in folder.rglob("*.png")]
    assert len(pictures) == 7 + 5 + 5
    assert all(sum(fnmatch(path, pattern) for pattern in patterns) == 1 for path in pictures)
