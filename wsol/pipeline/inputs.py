"""What has to stand before a run: a manifest, a split to score, weights whose content is known."""

from __future__ import annotations

import dataclasses
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from wsol.data.manifest.manifest import Manifest, ManifestSplit
from wsol.data.manifest.queries import QuerySplit, scored_split
from wsol.errors import UserError
from wsol.files.reading import refuse_no_file
from wsol.progress import is_first_rank, say
from wsol.recipe import Recipe

# Data sets that need nothing read: made where they are missing. Of `digits` it is the training set base.
EMBEDDED = ("clutter", "digits")


def manifest_folder(recipe: Recipe) -> Path:
    """Where the recipe's manifest lies: as it says, or ``manifests/<name>``."""
    return Path(recipe.data.manifest or f"manifests/{recipe.data.name}")


@contextmanager
def image_folder(images: Path | str | Sequence[Path | str]) -> Iterator[Path]:
    """A folder of the images: the one given, or one that links to the files given.

    ``UserError`` names what is neither a folder nor a file, and two files of one name.
    """
    given = [Path(images)] if isinstance(images, str | Path) else [Path(image) for image in images]
    if len(given) == 1 and not given[0].is_file():
        if not given[0].exists():
            raise UserError(f"{given[0]}: no such folder or image file")
        if not given[0].is_dir():
            refuse_no_file(given[0])
        yield given[0]
        return
    named: dict[str, Path] = {}
    for path in given:
        if path.is_dir():
            raise UserError(f"{path}: is a folder; give one folder, or image files, not both")
        refuse_no_file(path)
        if not path.is_file():
            raise UserError(f"{path}: no such image file")
        if path.name in named and path.resolve() != named[path.name].resolve():
            raise UserError(f"{path}: {named[path.name]} has the same name; localize them one by one")
        named[path.name] = path
    with tempfile.TemporaryDirectory(prefix="wsol-images-") as folder:
        for name, path in named.items():
            Path(folder, name).symlink_to(path.resolve())
        try:
            yield Path(folder)
        except UserError as error:
            message = str(error)
            for name, path in named.items():  # the user knows the file by its own place
                message = message.replace(str(Path(folder, name)), str(path))
            raise UserError(message) from error


def open_manifest(recipe: Recipe) -> Manifest:
    """The recipe's data set. An embedded one is made where it is missing; others are prepared first."""
    folder, name = manifest_folder(recipe), recipe.data.name
    if name in EMBEDDED and not folder.exists():
        if recipe.data.manifest:  # more likely mistyped than a wish for a new data set there
            raise UserError(
                f"{folder}: no such manifest (data.manifest); leave that out, and the embedded data set "
                f"is made in manifests/{name}; or run `wsol prepare {name} --output {folder}`"
            )
        if is_first_rank():
            from wsol.data.prepare import prepare

            say(f"making the embedded data set in {folder}")
            prepare(name, None, folder)
        else:
            _wait_for(folder)
    return Manifest.read(folder)


def _wait_for(folder: Path) -> None:
    """Until another process has made ``folder``; it appears whole. Reading says it if it never comes."""
    patience = time.monotonic() + 300
    while not folder.exists() and time.monotonic() < patience:
        time.sleep(0.1)


def annotated_split(manifest: Manifest, name: str) -> ManifestSplit:
    """A split to score or to choose thresholds on; ``UserError`` where it has no boxes or masks.

    Of a manifest that is scored by queries these are its queries, which have boxes alone.
    """
    split = scored_split(manifest, name)
    if not split.annotated:
        what = "boxes to make queries of" if isinstance(split, QuerySplit) else "boxes or masks to score"
        raise UserError(f"{manifest.folder}: split {name!r} has no {what}")
    return split


def as_recipe(recipe: Recipe | Path | str) -> Recipe:
    """The recipe itself, or that of a YAML file."""
    return recipe if isinstance(recipe, Recipe) else Recipe.from_yaml(recipe)


def resolved(recipe: Recipe) -> Recipe:
    """The recipe with its weights named for good: a file by its hash, a library's by its tag."""
    if not recipe.weights.file and recipe.weights.name == "none" and not recipe.weights.tag:
        return recipe
    from wsol.models.weights.loading import settled

    return dataclasses.replace(recipe, weights=settled(recipe.weights, recipe.backbone))


def run_folder(recipe: Recipe) -> Path:
    """Where ``wsol train`` keeps the run of this recipe; whether it is there is not looked at."""
    from wsol.training.run_folder import run_name

    recipe = resolved(recipe)
    return Path(recipe.how.runs) / run_name(recipe, open_manifest(recipe).hash)
