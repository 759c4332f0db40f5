"""Every image of a split is scored once, or nothing is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from wsol.errors import UserError


def check_complete(found: Sequence[str], expected: Sequence[str]) -> None:
    """``UserError`` unless the two hold the same image ids, each once."""
    extra, missing = set(found) - set(expected), set(expected) - set(found)
    twice = {image_id for image_id, count in Counter(found).items() if count > 1}
    findings = [
        f"{len(ids)} {what}, e.g. {', '.join(sorted(ids)[:3])}: {mend}"
        for ids, what, mend in (
            (missing, "of the images have no prediction", "every image needs one"),
            (extra, "predictions are of images that the annotations lack", "leave them out"),
            (twice, "images have more than one prediction", "keep one each"),
        )
        if ids
    ]
    if findings:
        raise UserError.of(findings)
