"""Classes of a data set matched with a model's, by key, name, synonym and spelling."""

import pytest

from wsol.maps.class_matching import ModelClasses, match_classes, told_unknown

KEYS = ["n01440764", "n01484850", "n02012849", "n03126707", "n02389026", "n02119022"]
NAMES = [
    "tench, Tinca tinca",
    "great white shark, white shark, man-eater",
    "crane",
    "crane",
    "sorrel",
    "red fox, Vulpes vulpes",
]
MODEL = ModelClasses(KEYS, NAMES)


@pytest.mark.parametrize(
    "text",
    ["n01484850", "N01484850", "great white shark", "White_Shark", "man eater", "MAN-EATER",
     "great-white  shark",
     "great white shark,white_shark, Man-eater", "white shark, great white shark", "n01484850-shark"],
)  # fmt: skip
def test_all_that_people_write(text):
    assert MODEL.find(text) == ["n01484850"]


@pytest.mark.parametrize("text", ["sharks", "", "white", "n09999999", "tench, crane", "shark"])
def test_what_is_no_name_is_not_found(text):
    assert MODEL.find(text) == []


def test_a_key_goes_before_all_names():
    model = ModelClasses(["crane", "Crane", "bird"], ["machine", "lorry", "crane"])
    assert model.find("crane") == ["crane"]
    assert ModelClasses(["001.Black_footed_Albatross"]).find("black footed albatross") == [
        "001.Black_footed_Albatross"
    ]


def test_a_name_of_two_classes_is_never_guessed():
    match = match_classes(MODEL, {"Crane": "Crane", "tench": "tench"})
    assert match.findings == [
        "class 'Crane' may be n02012849 (crane) or n03126707 (crane): choose by evaluation.classes, "
        "e.g. '{Crane: [n02012849]}'"
    ]
    match = match_classes(MODEL, {"Crane": "Crane"}, {"crane": ["n03126707"]})
    assert match.groups == {"Crane": ["n03126707"]} and not match.findings


def test_by_hand_by_key_by_name():
    classes = {"Horse": "Horse", "n01440764": "fish", "vulpes_vulpes": "", "emu": "emu", "k": "tench"}
    match = match_classes(MODEL, classes, {"Horse": ["sorrel", "n02119022"], "Cow": ["sorrel"]})
    assert match.groups == {
        "Horse": ["n02389026", "n02119022"],
        "vulpes_vulpes": ["n02119022"],
        "k": ["n01440764"],
    }
    assert match.unknown == ["emu"] and not match.findings
    assert match.by_name == {"vulpes_vulpes": "n02119022", "k": "n01440764"}
    assert any("1 class that the data set lacks: Cow" in note for note in match.notes)
    assert "n01440764, k are the same for the model: n01440764 (tench, Tinca tinca)" in match.notes


def test_what_the_model_lacks_is_told_with_near_names():
    match = match_classes(MODEL, {"Horse": "Horse"}, {"Horse": ["sorel"]})
    assert "'sorel' is none of the model's 6 classes (near: sorrel)" in match.findings[0]
    match = match_classes(MODEL, {"Horse": "Horse"}, {"House": ["sorrel"]})
    assert match.findings == ["evaluation.classes: no class 'House' in the data set (near: horse)"]
    assert told_unknown(MODEL, ["fox", "zzz"]) == "'fox' (near: red fox), 'zzz'"
