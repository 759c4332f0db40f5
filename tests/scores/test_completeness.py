"""What is missing, extra or double is named."""

from __future__ import annotations

import pytest

from wsol.errors import UserError
from wsol.scores.completeness import check_complete


@pytest.mark.parametrize(
    "found, message",
    [
        (["a", "b"], "1 of the images have no prediction, e.g. c"),
        (["a", "b", "c", "d"], "annotations lack, e.g. d"),
        (["a", "b", "c", "a"], "more than one prediction, e.g. a"),
    ],
)
def test_what_is_missing_extra_or_double_is_named(found, message):
    with pytest.raises(UserError, match=message):
        check_complete(found, ["a", "b", "c"])
