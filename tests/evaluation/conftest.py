"""What several files of this folder score."""

from __future__ import annotations

import numpy as np
import pytest

from wsol.evaluation.evaluator import evaluate
from wsol.scores.protocol import protocol_named
from wsol.scores.samples import Annotation, Prediction


@pytest.fixture
def with_map():
    """The evaluation of one map of one image."""

    def with_map(score_map, boxes=((2, 2, 8, 8),), size=(10, 10), convention="halfopen"):
        true = np.array(boxes, np.float32).reshape(-1, 4)
        annotation = Annotation("a", 1, size, true, true)
        prediction = Prediction("a", 1, score_map=np.asarray(score_map))
        return evaluate([prediction], [annotation], protocol_named(convention, 0.1), intervals=False)

    return with_map
