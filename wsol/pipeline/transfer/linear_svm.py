"""A linear SVM on vectors, its C chosen by cross-validation on the vectors that it is fitted to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wsol.errors import UserError
from wsol.pipeline.transfer.vectors import Vectors

# Of the C tried the smallest of equals is taken.
GRID = (0.0001, 0.001, 0.01, 0.1, 1.0, 10.0)
FOLDS = 5
SEED = 0


@dataclass(frozen=True)
class FittedSvm:
    """The SVM: ``c`` of `GRID`, ``cv_accuracy`` in percent at it, over so many ``folds``."""

    c: float
    cv_accuracy: float
    folds: int
    pipeline: object

    def right(self, images: Vectors) -> np.ndarray:
        """Which images (N,) it names right."""
        return self.pipeline.predict(images.values) == images.labels  # type: ignore[attr-defined]


def fit(train: Vectors) -> FittedSvm:
    """Fit scikit-learn's ``LinearSVC`` (one class against the rest) to standardised vectors.

    Mean and deviation are those of the vectors it is fitted to, in each fold anew. Folds keep the shares
    of the classes and are drawn by a fixed seed; with fewer than `FOLDS` images of a class there are as
    many as that.

    Raises:
        UserError: a single class, or a class with a single image.
    """
    from sklearn.model_selection import GridSearchCV, StratifiedKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import LinearSVC

    labels, counts = np.unique(train.labels, return_counts=True)
    if len(labels) < 2:
        raise UserError("transfer: the training images show one class: there is nothing to tell apart")
    if counts.min() < 2:
        raise UserError(
            f"transfer: class {labels[counts.argmin()]} has one training image: to choose C takes two"
        )
    folds = min(FOLDS, int(counts.min()))
    svm = LinearSVC(random_state=SEED, dual="auto", max_iter=10_000)
    search = GridSearchCV(
        make_pipeline(StandardScaler(), svm),
        {"linearsvc__C": list(GRID)},
        cv=StratifiedKFold(folds, shuffle=True, random_state=SEED),
    )
    search.fit(train.values, train.labels)
    c = float(search.best_params_["linearsvc__C"])
    return FittedSvm(c, 100 * float(search.best_score_), folds, search.best_estimator_)
