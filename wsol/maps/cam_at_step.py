"""The class map of feedback attention before its last step."""

from __future__ import annotations

from contextlib import AbstractContextManager

from wsol.errors import UserError
from wsol.maps.cam import ClassMap
from wsol.maps.contract import ModelMaps
from wsol.models.insertion.feedback_block import steps_of
from wsol.models.localizer import Localizer

EVERY = "*"


class ClassMapAtStep(ClassMap):
    """Class map of the true class with feedback lowered to t steps: cam@t=1; cam@t=* is every step.

    Attributes:
        step: t; None of ``cam@t=*``.
    """

    own_pass = True
    takes_argument = True

    def __init__(self, name: str, argument: str = "") -> None:
        super().__init__(name, argument)
        self.named_by_network = argument == EVERY
        try:
            self.step = None if argument == EVERY else int(argument)
        except ValueError:
            raise UserError(
                f"map source {name!r}: t must be a whole number, as in cam@t=1, or * for every step"
            ) from None

    def expanded(self, localizer: Localizer) -> list[ModelMaps]:
        """Of ``cam@t=*`` the maps of every step that the network takes, 1 to T."""
        if self.step is not None:
            return [self]
        steps = range(1, steps_of(localizer) + 1)
        every: list[ModelMaps] = [ClassMapAtStep(f"cam@t={step}", str(step)) for step in steps]
        return [one.of_predicted_class() for one in every] if self.of_class == "predicted" else every

    def ready(self, localizer: Localizer) -> AbstractContextManager[None]:
        """Within the context the feedback takes fewer steps."""
        if self.step is None:
            raise UserError(
                f"map source {self.name!r} stands for several maps, which `wsol evaluate` reads: "
                "name one here, such as cam@t=1"
            )
        super().ready(localizer)
        return localizer.at_step(self.step)
