"""How fast a source of maps is read."""

from __future__ import annotations

import statistics


class Clock:
    """Images and seconds of one source, batch by batch; the first batch, which warms up, is left out."""

    def __init__(self) -> None:
        self.batches: list[tuple[int, float, float]] = []

    def count(self, images: int, seconds: float, own_seconds: float | None = None) -> None:
        """Add one batch.

        Args:
            images: how many, padding included.
            seconds: that the pass took with all the sources that were read from it.
            own_seconds: those without the other sources' reading; None: there was no other.
        """
        self.batches.append((images, seconds, seconds if own_seconds is None else own_seconds))

    @property
    def images_per_second(self) -> float | None:
        """The median batch's throughput with all sources of the pass, None before the second batch."""
        rates = [images / seconds for images, seconds, _ in self.batches[1:] if seconds > 0]
        return statistics.median(rates) if rates else None

    @property
    def ms_per_image(self) -> float | None:
        """What the source costs read alone, the forward pass and its own reading: the median batch's
        milliseconds an image, None before the second batch.
        """
        costs = [1000 * own / images for images, _, own in self.batches[1:] if images]
        return statistics.median(costs) if costs else None
