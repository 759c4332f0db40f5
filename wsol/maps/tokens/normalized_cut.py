"""A normalised cut of patch features into object and background, by TokenCut's rules.

Wang et al., "Self-Supervised Transformers for Unsupervised Object Discovery using Normalized Cut",
CVPR 2022, arXiv 2202.11539; Shi & Malik, "Normalized Cuts and Image Segmentation", TPAMI 2000. Rules and
constants as in YangtaoWANG95/TokenCut@0d86de5, object_discovery.py and main_tokencut.py.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from scipy.linalg import eigh
from scipy.sparse.linalg import ArpackNoConvergence, eigsh

TAU = 0.2  # cosine similarity above which two patches are alike
EPS = 1e-5  # weight of the edge between patches that are not
# Patches up to which all of the matrix is decomposed at once (a grid of 40 x 40): LAPACK, not Lanczos.
DENSE = 1600


def edges(features: np.ndarray, tau: float = TAU) -> np.ndarray:
    """Weights (n, n) of the graph of patches with features (n, C): 1 between alike ones, else `EPS`."""
    rows = features.astype(np.float64)
    unit = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    return np.where(unit @ unit.T > tau, 1.0, EPS)


def second_eigenvector(weights: np.ndarray) -> np.ndarray:
    """The second smallest y (n,) of (D - W) y = l D y, D the row sums of ``weights``; y' D y = 1.

    Solved as the symmetric D^-1/2 W D^-1/2, whose largest eigenvalues are 1 - l: the same y, less work.
    Its sign is whatever the solver says. Zeros where all edges weigh the same: any cut is as good.
    """
    if weights.min() == weights.max():
        return np.zeros(len(weights))
    root = 1 / np.sqrt(weights.sum(axis=1))
    matrix = root[:, None] * weights * root
    return root * _second_largest(matrix)


def _second_largest(matrix: np.ndarray) -> np.ndarray:
    """The eigenvector (n,) of the second largest eigenvalue of a symmetric matrix, of length 1."""
    n = len(matrix)
    if n > DENSE:
        try:
            start = np.random.default_rng(0).standard_normal(n)  # or each run would start elsewhere
            values, vectors = eigsh(matrix, k=2, which="LA", v0=start)
            return vectors[:, values.argmin()]
        except ArpackNoConvergence:
            pass  # eigenvalues too close to be told apart so: all of them, then
    return eigh(matrix, subset_by_index=[n - 2, n - 2])[1][:, 0]


def cut(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The cut of features (C, h, w): its eigenvector (h, w), and the component that is the object.

    The patch with the largest absolute value is the seed; the sign is such that its side of the mean is
    the upper one. The object (h, w), bool, is what lies above the mean and hangs together with the seed
    by patches that share a side. Where there is nothing to cut, zeros and all False.
    """
    channels, height, width = features.shape
    vector = second_eigenvector(edges(features.reshape(channels, -1).T))
    seed = int(np.abs(vector).argmax())
    if vector[seed] <= vector.mean():
        vector = -vector
    above = (vector > vector.mean()).reshape(height, width)
    components, _ = ndimage.label(above)  # type: ignore[misc]
    own = components.flat[seed]
    return vector.reshape(height, width), (components == own) & above
