"""The verb ``transfer``: a linear SVM on a run's features of another data set.

LTPA's paper (Jetley et al., ICLR 2018) asks so what attended features are worth on unseen data sets. How
its SVM was chosen could not be read: what is done here is said in `wsol.pipeline.transfer.linear_svm`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wsol.data.manifest.manifest import Manifest, ManifestSplit
from wsol.errors import UserError
from wsol.files.csv_table import write_csv
from wsol.pipeline.model import Model
from wsol.pipeline.names_of_runs import names_of_runs
from wsol.pipeline.transfer.linear_svm import fit
from wsol.pipeline.transfer.vectors import vectors
from wsol.progress import say
from wsol.scores.curves import Mean
from wsol.scores.resampling.interval import interval
from wsol.scores.resampling.replicates import Replicates
from wsol.scores.resampling.weights import resample_weights

TRAIN = "train"
COLUMNS = (
    *("run", "features", "dimensions", "classes", "train_images", "test_images"),
    *("c", "folds", "cv_accuracy", "accuracy", "accuracy_low", "accuracy_high"),
)


@dataclass(frozen=True)
class Transferred:
    """What one run's features are worth; percent.

    ``accuracy`` is of the test images, from ``low`` to ``high`` its 95 % interval over them; C was
    chosen where ``cv_accuracy``, of the training images alone, was highest.
    """

    run: str
    features: str
    dimensions: int
    classes: int
    train_images: int
    test_images: int
    c: float
    folds: int
    cv_accuracy: float
    accuracy: float
    low: float
    high: float

    def cells(self) -> list[str]:
        """Under `COLUMNS`."""
        counts = (self.dimensions, self.classes, self.train_images, self.test_images)
        shares = (self.cv_accuracy, self.accuracy, self.low, self.high)
        return [
            *(self.run, self.features, *map(str, counts), f"{self.c:g}", str(self.folds)),
            *(f"{share:.3f}" for share in shares),
        ]


def transfer(
    runs: Sequence[Model | Path | str],
    manifest: Manifest | Path | str,
    *,
    features: str = "attended",
    split: str = "test",
    per_class: int = 0,
) -> list[Transferred]:
    """Fit an SVM to each run's features of the train images, and score it on another split.

    Args:
        runs: run folders, ``timm:NAME``, ``torchvision:NAME``, or open models.
        manifest: the data set; only its labels are read.
        features: `wsol.pipeline.transfer.vectors.FEATURES`.
        split: of the images that are scored.
        per_class: train on the first so many images of each class; 0 takes all.

    Raises:
        UserError: no train split, one class, the split that is trained on, a cross-fitted run.

    Examples:
        >>> import wsol
        >>> found = wsol.transfer(["runs/mine"], "manifests/other")            # doctest: +SKIP
    """
    if not isinstance(manifest, Manifest):
        manifest = Manifest.read(manifest)
    train, test = _train_images(manifest).first_per_class(per_class), manifest.split(split)
    if split == TRAIN:
        raise UserError(f"--split {TRAIN}: the SVM is fitted to these images; name another split")
    models = [run if isinstance(run, Model) else Model.open(run) for run in runs]
    found = []
    for name, model in zip(names_of_runs(models), models, strict=True):
        seen = vectors(model, train, features, f"{name}, {TRAIN}")
        say(f"{name}: choosing C on {len(seen.labels):,} train images")
        svm = fit(seen)
        new = vectors(model, test, features, f"{name}, {split}")
        right = svm.right(new)
        low, high = _interval(right)
        found.append(
            Transferred(
                *(name, features, seen.values.shape[1], len(np.unique(seen.labels))),
                *(len(seen.labels), len(right), svm.c, svm.folds, svm.cv_accuracy),
                *(100 * float(right.mean()), low, high),
            )
        )
    return found


def write_table(rows: Sequence[Transferred], path: Path) -> Path:
    """Write a line a run."""
    return write_csv(path, COLUMNS, [row.cells() for row in rows])


def _train_images(manifest: Manifest) -> ManifestSplit:
    if TRAIN not in manifest.splits:
        raise UserError(
            f"{manifest.folder}: has no split {TRAIN!r} (it has {', '.join(manifest.splits)}): there is "
            "nothing to fit an SVM to"
        )
    return manifest.split(TRAIN)


def _interval(right: np.ndarray) -> tuple[float, float]:
    """The 95 % interval of the share that is right, as of every other accuracy."""
    curve = Mean(right[:, None], np.arange(len(right)))
    draws = np.concatenate([curve(weights)[:, 0] for weights in resample_weights(len(right))])
    bounds = interval(100 * float(right.mean()), Replicates(draws, draws), len(right))
    assert bounds is not None, "there are images"
    return bounds
