"""The class map of feedback attention before its last step."""

from __future__ import annotations

from contextlib import AbstractContextManager

from wsol.errors import UserError
from wsol.maps.cam import ClassMap
from wsol.models.localizer import Localizer


class ClassMapAtStep(ClassMap):
    """Class map of the true class with feedback attention lowered to t steps, as in cam@t=1."""

    own_pass = True
    takes_argument = True

    def ready(self, localizer: Localizer) -> AbstractContextManager[None]:
        """Within the context the feedback takes fewer steps."""
        try:
            step = int(self.argument)
        except ValueError:
            raise UserError(
                f"map source {self.name!r}: t must be a whole number, as in cam@t=1"
            ) from None
        super().ready(localizer)
        return localizer.at_step(step)
