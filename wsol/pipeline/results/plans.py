"""What an action would do with a folder of results, said before it is done."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field


@dataclass
class Plan(ABC):
    """``left_out`` names, a line each, what the action does not touch although it was asked for."""

    left_out: list[str] = field(default_factory=list, kw_only=True)

    @abstractmethod
    def lines(self) -> list[str]:
        """The plan for people."""
