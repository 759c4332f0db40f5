"""Names to things: duplicates raise, unknown names suggest, a user's own class needs no entry."""

import pytest

from wsol.errors import UserError, suggest
from wsol.registry import Registry


@pytest.fixture
def registry() -> Registry:
    shelf: Registry = Registry("shelf")
    shelf.register("counter", "collections:Counter")
    return shelf


def test_string_entries_are_imported_when_asked_for(registry):
    from collections import Counter

    assert registry.place("counter") == "collections:Counter"
    assert registry.get("counter") is Counter


def test_duplicates_raise(registry):
    with pytest.raises(ValueError, match="shelf 'counter' is registered twice"):
        registry.register("counter", "collections:OrderedDict")


def test_unknown_name_suggests_the_near_one(registry):
    with pytest.raises(UserError, match="unknown shelf 'conter': did you mean 'counter'"):
        registry.get("conter")


@pytest.mark.parametrize(
    ("name", "known", "said"),
    [
        ("top", ["joint", "top_only"], ": did you mean 'top_only'?"),
        ("res", ["resnet18", "resnet50", "vgg16"], ": did you mean 'resnet18' or 'resnet50'?"),
        ("res", ["res18", "resnet34", "resnet50"], ": did you mean 'res18'?"),  # nearer than a start
        ("r", ["r2_long", "r3_long", "r4_long"], ": there are r2_long, r3_long, r4_long"),
        ("", ["joint", "top_only"], ": there are joint, top_only"),
        ("gaussian", ["joint", "top_only"], ": there are joint, top_only"),
    ],
)
def test_what_is_near(name, known, said):
    assert suggest(name, known) == said


def test_a_module_beside_the_user_is_found(registry, tmp_path, monkeypatch):
    (tmp_path / "my_shelf_module.py").write_text("class Mine: ...\n")
    monkeypatch.chdir(tmp_path)
    assert registry.get("my_shelf_module:Mine").__name__ == "Mine"
    with pytest.raises(UserError, match="my_shelf_module has no 'Mone': did you mean 'Mine'"):
        registry.get("my_shelf_module:Mone")


def test_a_missing_module_is_named(registry):
    with pytest.raises(UserError, match="cannot import 'no_such_module_here'"):
        registry.get("no_such_module_here:Thing")


def test_decorator(registry):
    @registry.register("own")
    class Own: ...

    assert registry.get("own") is Own
    assert registry.names() == ["counter", "own"]


@pytest.mark.parametrize("path", [".x:Y", ":Y", "a..b:Y"])
def test_what_is_no_module_name_is_named(path):
    with pytest.raises(UserError, match=r"write package\.module:attribute"):
        Registry("attention").get(path)


@pytest.mark.parametrize(
    ("name", "registry", "message"),
    [
        (
            "sys:path",
            Registry("shelf", instance_of="collections:Counter"),
            "is list: expected an instance",
        ),
        (
            "collections:Counter",
            Registry("shelf", instance_of="collections:Counter"),
            "is Counter: expect",
        ),
        (
            "sys:path",
            Registry("shelf", subclass_of="collections:Counter"),
            "is list: expected a subclass",
        ),
        (
            "json:JSONDecoder",
            Registry("shelf", subclass_of="builtins:dict"),
            "is JSONDecoder: expected a",
        ),
    ],
)
def test_what_a_user_names_must_be_of_the_kind(name, registry, message):
    with pytest.raises(UserError, match=message):
        registry.get(name)


def test_what_is_of_the_kind_is_given():
    assert (
        Registry("shelf", subclass_of="builtins:dict").get("collections:Counter").__name__ == "Counter"
    )
    assert isinstance(Registry("shelf", instance_of="builtins:list").get("sys:path"), list)


@pytest.mark.parametrize("name", ["my_own_shelf", "my_own_shelf.py"])
def test_a_file_named_without_its_class_is_told_the_class(registry, tmp_path, monkeypatch, name):
    (tmp_path / "my_own_shelf.py").write_text("1 / 0\nclass First: ...\nclass Second: ...\n")
    monkeypatch.chdir(tmp_path)
    told = r"my_own_shelf\.py is a file here; write my_own_shelf:First or my_own_shelf:Second"
    with pytest.raises(UserError, match=told):
        registry.get(name)
    (tmp_path / "my_own_shelf.py").write_text("not Python at all")
    with pytest.raises(UserError, match="unknown shelf"):
        registry.get(name)
