"""How many images a second a model reads."""

from __future__ import annotations

import statistics


class Clock:
    """Images and seconds of forward passes; the first batch, which warms up, is left out."""

    def __init__(self) -> None:
        self.batches: list[tuple[int, float]] = []

    def count(self, images: int, seconds: float) -> None:
        """Add one batch."""
        self.batches.append((images, seconds))

    @property
    def images_per_second(self) -> float | None:
        """The median batch's throughput, None before the second batch."""
        rates = [images / seconds for images, seconds in self.batches[1:] if seconds > 0]
        return statistics.median(rates) if rates else None
