from __future__ import annotations

import numpy as np

from wsol.scores.groups import first_of_each, group_numbers


def test_groups_are_numbered_as_they_come():
    groups = np.array(["z", "a", "z", "m", "a"])
    assert group_numbers(groups).tolist() == [0, 1, 0, 2, 1]
    assert first_of_each(groups).tolist() == [0, 1, 3]
    assert group_numbers(groups[:0]).tolist() == first_of_each(groups[:0]).tolist() == []
