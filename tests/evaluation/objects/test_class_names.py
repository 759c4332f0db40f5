"""Which predicted class is which true one."""

from __future__ import annotations

import pytest

from wsol.errors import UserError
from wsol.evaluation.objects.class_names import class_codes


def test_names_match_exactly_then_loosely_then_by_number():
    codes = class_codes(["polar_bear", "Cat", "cat"], ["Polar Bear", "cat", "7"], ids={"7": "Cat"})
    assert codes.compared and not codes.notes
    assert codes.predicted["Polar Bear"] == codes.true["polar_bear"]
    assert codes.predicted["cat"] == codes.true["cat"]
    assert codes.predicted["7"] == codes.true["Cat"]


def test_a_table_goes_first_and_may_give_a_class_several_names():
    codes = class_codes(["bird", "dog"], ["wren", "robin", "dog"], {"bird": ["wren", "robin"]})
    assert codes.predicted["wren"] == codes.predicted["robin"] == codes.true["bird"]
    assert codes.predicted["dog"] == codes.true["dog"]
    with pytest.raises(UserError, match="'wren' stands for 'bird' and for 'dog'"):
        class_codes(["bird", "dog"], ["wren"], {"bird": ["wren"], "dog": ["wren"]})
    with pytest.raises(UserError, match="none of its first column is a class of the annotations"):
        class_codes(["bird"], ["wren"], {"fish": ["wren"]})


@pytest.mark.parametrize(
    "true, predicted, note",
    [
        (["cat"], [""], "the predictions name no classes"),
        ([""], ["cat"], "the annotations name no classes"),
        (["cat"], ["n02", "n03"], "no class of the predictions is one of the annotations'"),
    ],
)
def test_where_classes_cannot_be_compared_it_is_said(true, predicted, note):
    codes = class_codes(true, predicted)
    assert not codes.compared and note in codes.notes[0]
    assert codes.code("true", true[0]) == codes.code("predicted", predicted[0]) == 0


def test_a_class_that_only_predictions_have_is_told():
    codes = class_codes(["cat"], ["cat", "dog"])
    assert codes.names == ["cat", "dog"] and codes.predicted == {"cat": 0, "dog": 1}
    assert "1 classes of the predictions are none of the annotations', e.g. 'dog'" in codes.notes[0]
    assert not class_codes([""], [""]).notes
