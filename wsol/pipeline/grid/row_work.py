"""The work at one row of a grid: train, score, record, by one process at a time."""

from __future__ import annotations

import traceback
from contextlib import nullcontext

from wsol.errors import UserError, interruption
from wsol.files.locking.lock import Held, hold
from wsol.pipeline.evaluate_run import evaluate_run
from wsol.pipeline.grid.agenda import Answer
from wsol.pipeline.grid.rows import GridRow
from wsol.pipeline.model import Model
from wsol.pipeline.outputs.publish import Outputs
from wsol.pipeline.train import train
from wsol.progress import is_first_rank


def attempt(row: GridRow, overlays: int) -> Answer:
    """Do the row unless somebody else is at it; whatever goes wrong with it is the answer's."""
    try:
        do_row(row, overlays)
    except Held as error:
        return Answer("held", str(error))
    except Exception as error:
        return Answer("failed", words_of(error))
    return Answer("done")


def words_of(error: Exception) -> str:
    """What a failure's line says; of one that nobody foresaw the place in the code is shown too.

    What came up on the way out of a signal or an exit is no failure: that is raised again.
    """
    if (asked := interruption(error)) is not None:
        raise asked
    if isinstance(error, UserError | OSError):
        return str(error)
    traceback.print_exception(error)
    return f"{type(error).__name__}: {error}"


def do_row(row: GridRow, overlays: int) -> None:
    """Train, score and record the row, or what of it is missing.

    The run's lock is held to the last record: nobody scores a second time what was trained here.

    Raises:
        Held: another process is at it.
    """
    # Under torchrun one process holds it for all.
    with hold(row.folder.path) if is_first_rank() else nullcontext():
        if row.done(overlays):  # by somebody who held it a moment ago
            return
        # By this very recipe: what the folder's own names is not looked at.
        model = Model.open(train(row.recipe), recipe=row.recipe)
        outputs = Outputs(results=row.recipe.how.results, overlays=overlays)
        for scoring in row.scorings:
            other = None if scoring.manifest is row.manifest else scoring.manifest
            evaluate_run(model, scoring.settings, manifest=other, outputs=outputs)
