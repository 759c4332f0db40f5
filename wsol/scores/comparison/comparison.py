"""What a comparison of two rows says."""

from __future__ import annotations

from dataclasses import dataclass

SIGNIFICANCE = 0.05
LEVEL = 0.95


@dataclass(frozen=True)
class Comparison:
    """``difference`` (row minus other) with its 95 % interval in percentage points, p, images shared.

    ``optimism``: by how many points choosing thresholds on these images flatters the row more than the
    other; the interval has made up for it, the difference has not. 0 where they were chosen on val, None
    where nothing was chosen.
    ``exact``: p is that of McNemar's exact test.
    """

    difference: float
    low: float
    high: float
    p_value: float
    n_images: int
    optimism: float | None = None
    exact: bool = False

    @property
    def distinguishable(self) -> bool:
        """Whether the difference is one that ``n_images`` images can show."""
        return self.p_value < SIGNIFICANCE
