"""``--seeds``: numbers between commas, each once."""

import pytest

from wsol.cli.seeds import seeds_of
from wsol.errors import UserError


def test_each_seed_is_there_once():
    assert seeds_of("0,1,2") == [0, 1, 2]
    assert seeds_of("2,0,2") == [2, 0]
    assert seeds_of("4294967295") == [4294967295]


@pytest.mark.parametrize(
    ("text", "said"),
    [("-1", "-1 is not from 0 to"), ("0,4294967296", "4294967296 is not"), ("a", "whole numbers")],
)
def test_what_is_no_seed_is_named(text, said):
    with pytest.raises(UserError, match=said):
        seeds_of(text)
