"""Whether a network reads images of another side than its own: found out before anything is computed."""

from __future__ import annotations

import torch

from wsol.errors import UserError
from wsol.models.localizer import Localizer


def refuse_unread_side(localizer: Localizer, side: int, what: str, why: str) -> None:
    """``UserError`` where a blank image of ``side`` pixels cannot be passed.

    Args:
        what: the map source, as messages name it. why: after the side, what it is for.
    """
    blank = next(localizer.parameters()).new_zeros(1, 3, side, side)
    training = localizer.training
    try:
        with torch.no_grad():
            localizer.eval()(blank)
    # Each library has its own way of saying so; what else is wrong shows in the plain pass.
    except (RuntimeError, ValueError, AssertionError, UserError) as error:
        reason = (str(error).splitlines() or ["no reason given"])[0]
        raise UserError(
            f"map source {what!r}: {localizer.backbone.name} does not read images of side {side}, "
            f"{why}: {reason}"
        ) from error
    finally:
        localizer.train(training)
