"""The verb ``propose``: boxes that may hold an object, for a manifest's images, kept in its folder."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np

from wsol.cores import cores
from wsol.data.manifest.manifest import Manifest
from wsol.data.manifest.validation import TRAINED
from wsol.errors import UserError
from wsol.evaluation.contours.iou import iou_matrix
from wsol.maps.proposals.proposal_files import ProposalFile, proposal_files, read_proposals
from wsol.progress import note_saved, track
from wsol.scores.samples import Annotation


class Proposed(NamedTuple):
    """The proposals of a split: how many ``images``, how many ``boxes`` an image on average.

    ``best`` (n,) is the largest IoU of any proposal with any true box, of each image that has one: no
    choice among the proposals can do better.
    """

    split: str
    images: int
    boxes: float
    best: np.ndarray


def propose(
    manifest: Manifest | Path | str, splits: Sequence[str] = (), jobs: int | None = None
) -> list[Proposed]:
    """Propose boxes for the images of ``splits``, and keep them in the manifest's folder.

    What is there is not made again, so a command that was stopped goes on.

    Args:
        manifest: the data set, or its folder.
        splits: by default all but train.
        jobs: processes at a time; by default one a core.

    Raises:
        UserError: no manifest there, no such split, a file that is no image.

    Examples:
        >>> import wsol
        >>> found = wsol.propose("manifests/cub", ["val"])                     # doctest: +SKIP
    """
    manifest = manifest if isinstance(manifest, Manifest) else Manifest.read(manifest)
    wanted = list(splits) or [name for name in manifest.splits if name != TRAINED]
    if not wanted:
        raise UserError(f"{manifest.folder}: only train is there: name it with --split")
    images = [manifest.split(name) for name in wanted]
    files = [file for one in images for file in proposal_files(one)]
    missing = [file for file in files if not file.path.is_file()]
    with _workers(min(jobs or cores(), len(missing))) as write:
        for done, _ in enumerate(track(write(missing), len(missing), "propose, files"), start=1):
            note_saved(f"{done} of {len(missing)} files of proposals; the same command goes on")
    return [_told(manifest, name) for name in wanted]


@contextmanager
def _workers(jobs: int) -> Iterator[Callable[[Sequence[ProposalFile]], Iterable[Path]]]:
    """What writes files, here or by several processes, which are gone when the block is left."""
    if jobs < 2:
        yield lambda files: map(ProposalFile.write, files)
        return
    # Threads of torch and numba may run by now, and a fork would take their locks along.
    with multiprocessing.get_context("spawn").Pool(jobs, _let_the_parent_stop) as pool:
        yield lambda files: pool.imap_unordered(ProposalFile.write, files)


def _let_the_parent_stop() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _told(manifest: Manifest, name: str) -> Proposed:
    images = manifest.split(name)
    boxes = read_proposals(images)
    return Proposed(
        name,
        len(images),
        float(np.mean([len(own) for own in boxes.values()])),
        np.array(list(_best(images.annotations().values(), boxes))),
    )


def _best(annotations: Iterable[Annotation], boxes: Mapping[str, np.ndarray]) -> Iterator[float]:
    for one in annotations:
        if not len(one.boxes):
            continue
        height, width = one.size
        true = one.boxes / np.array([width, height, width, height])
        yield float(iou_matrix(boxes[one.image_id], true).max(initial=0.0))
