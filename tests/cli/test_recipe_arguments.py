"""A recipe from the command line, as a reader of the README would type it."""

import subprocess
import sys

import pytest
import yaml

from wsol.cli.parser import at_least
from wsol.cli.recipe_arguments import CommandOption, parse_recipe, recipe_keys
from wsol.errors import UserError
from wsol.recipe import PARTS, Recipe
from wsol.recipe.documentation import first_sentences

NESTED = {"a": {"b": 3, "c": "d"}}


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "r.yaml"
    path.write_text("attention: {name: tdam, options: {steps: 2, gating: top}}\ntraining: {epochs: 3}\n")
    return str(path)


def parse(*argv):
    return parse_recipe(argv, "train")[0]


def test_later_comes_over_earlier(config, tmp_path):
    recipe = parse("--config", config, "--training.epochs", "5", "--attention.options.steps", "3")
    assert recipe.training.epochs == 5
    assert recipe.attention.name == "tdam"
    assert recipe.attention.options == {"steps": 3, "gating": "top"}
    assert parse("--training.epochs", "5", f"--config={config}").training.epochs == 3
    second = tmp_path / "second.yaml"
    second.write_text("attention: {at: [stage4]}\nseed: 2\n")
    both = parse("--config", config, "--config", str(second), "--seed", "7", "--seed=8")
    assert (both.attention.name, both.attention.at, both.seed) == ("tdam", ("stage4",), 8)
    whole = parse("--config", config, "--attention.options", "{steps: 3}")
    assert whole.attention.options == {"steps": 3}


def test_short_forms():
    recipe = parse("--attention", "rfga", "--weights=w.safetensors", "--attention.at", "stage4,stage5")
    assert recipe.attention.name == "rfga"
    assert recipe.weights.file == "w.safetensors"
    assert recipe.attention.at == ("stage4", "stage5")
    others = parse("--data", "cub", "--backbone", "vgg16", "--head=native", "--method", "m:M")
    names = (others.data.name, others.backbone.name, others.head.name, others.method.name)
    assert names == ("cub", "vgg16", "native", "m:M")


@pytest.mark.parametrize(
    ("argv", "key", "value"),
    [
        (["--attention.at=[stage4]"], "attention.at", ("stage4",)),
        (["--evaluation.maps", "cam,attention"], "evaluation.maps", ("cam", "attention")),
        (["--evaluation.maps", "[cam, '1', no]"], "evaluation.maps", ("cam", "1", "no")),
        (["--evaluation.maps="], "evaluation.maps", ()),
        (["--training.milestones", "3,6"], "training.milestones", (3, 6)),
        (["--training.milestones", "3", "--training.milestones+", "5"], "training.milestones", (3, 5)),
        (["--training.milestones+", "[5,6]"], "training.milestones", (5, 6)),
        (["--evaluation.maps+", "attention"], "evaluation.maps", ("cam", "attention")),
        (["--weights.mean", "0.5,0.5,1"], "weights.mean", (0.5, 0.5, 1.0)),
        (["--backbone.strides.stage5", "1"], "backbone.strides", {"stage5": 1}),
        (["--evaluation.classes.Great Dane", "1,no"], "evaluation.classes", {"Great Dane": ("1", "no")}),
        (["--evaluation.classes", "{Horse: [1]}"], "evaluation.classes", {"Horse": ("1",)}),
        (["--attention.options.k", "-1"], "attention.options", {"k": -1}),
        (["--attention.options.k", "-1e-1"], "attention.options", {"k": -0.1}),
        (["--training.lr", "1e-3"], "training.lr", 0.001),
        (["--data.flip", "false"], "data.flip", False),
        # A name is text as it is given, whatever YAML makes of it.
        (["--data.name", "1"], "data.name", "1"),
        (["--weights.name", "none"], "weights.name", "none"),
        (["--method", "no"], "method.name", "no"),
        (["--weights.name", "null"], "weights.name", "null"),
        (["--weights.sha256", "12e4567"], "weights.sha256", "12e4567"),
        (["--evaluation.thresholds", "fixed:0.2"], "evaluation.thresholds", "fixed:0.2"),
        # An option of a class is what YAML makes of it.
        (["--attention.options.k", "3"], "attention.options", {"k": 3}),
        (["--attention.options.k", "1e-3"], "attention.options", {"k": 0.001}),
        (["--attention.options.k", "true"], "attention.options", {"k": True}),
        (["--attention.options.k", "null"], "attention.options", {"k": None}),
        (["--attention.options.k="], "attention.options", {"k": ""}),
        (["--attention.options.k", "'3'"], "attention.options", {"k": "3"}),
        (["--attention.options.k", "[1, a]"], "attention.options", {"k": (1, "a")}),
        (["--attention.options.k", "a, b: #c"], "attention.options", {"k": "a, b: #c"}),
        (["--attention.options.k", "2026-01-02"], "attention.options", {"k": "2026-01-02"}),
        (["--method.options.foo", "3"], "method.options", {"foo": 3}),
        (["--method.options.a.b", "3", "--method.options.a.c=d"], "method.options", NESTED),
    ],
)  # fmt: skip
def test_values(argv, key, value):
    found = parse(*argv)
    for name in key.split("."):
        found = getattr(found, name)
    assert found == value and isinstance(found, type(value))


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--attentoin", "rfga"], "unknown option '--attentoin': did you mean '--attention'"),
        (["--attention.nam=x"], "unknown option '--attention.nam': did you mean '--attention.name'"),
        (["--epochs", "3"], "unknown option '--epochs': did you mean '--training.epochs'?"),
        (["--batch_size", "3"], "'--training.batch_size' or '--evaluation.batch_size'?"),
        (["--training.lr.x", "3"], "unknown option '--training.lr.x': did you mean"),
        (["--zzqqx", "3"], "command line: unknown option '--zzqqx': see wsol train --help"),
        (["--training.lr", "fast"], "command line: training.lr must be a number, not 'fast'"),
        (["--backbone.strides.s", "x"], "backbone.strides.s must be a whole number, not 'x'"),
        (["--attention.options.k", "[1"], "command line: attention.options.k: '[1' is not YAML: "),
        (["--config", "none.yaml"], "none.yaml: no such recipe"),
        (["--attention.at"], "command line: --attention.at needs a value"),
        (["--attention", "--seed", "3"], "command line: --attention needs a value"),
        (["--seed+", "3"], "command line: --seed+: only a list grows; write --seed"),
        (["stray"], "command line: unexpected 'stray'"),
        (["-x", "3"], "command line: unexpected '-x'"),
    ],
)  # fmt: skip
def test_mistakes_are_one_line(argv, message):
    with pytest.raises(UserError) as caught:
        parse(*argv)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 250


def test_a_mistake_in_a_config_names_the_file(config, tmp_path):
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("training: {epochs: 3, lrr: 1}\n")
    with pytest.raises(UserError, match=r"wrong\.yaml: unknown key 'training\.lrr': did you mean 'lr'"):
        parse("--config", config, "--config", str(wrong))


def test_options_of_a_command_stand_beside_the_keys(config):
    options = (
        CommandOption("output", "folder"),
        CommandOption("overlays", "pictures", default=0, read=at_least(0)),
    )
    recipe, own = parse_recipe(["--output", "o", "--seed", "2", "--config", config], "evaluate", options)
    assert own == {"output": "o", "overlays": 0} and recipe.seed == 2
    assert parse_recipe(["--overlays=3"], "evaluate", options)[1] == {"output": None, "overlays": 3}
    with pytest.raises(UserError, match="--overlays: '-1' is not a whole number, 0 or more"):
        parse_recipe(["--overlays", "-1"], "evaluate", options)
    with pytest.raises(UserError, match="'--outptu': did you mean '--output'"):
        parse_recipe(["--outptu", "o"], "evaluate", options)


def test_print_config_is_a_recipe_file(config, capsys):
    with pytest.raises(SystemExit) as left:
        parse("--print_config", "--config", config, "--seed", "4")
    assert left.value.code == 0
    printed = yaml.safe_load(capsys.readouterr().out)
    assert Recipe.from_dict(printed) == parse("--config", config, "--seed", "4")


def test_every_key_is_known():
    assert {"attention.name", "training.lr", "seed", "how.device"} <= set(recipe_keys())
    raw = yaml.safe_load(Recipe().to_yaml())
    flat = [f"{part}.{key}" for part in PARTS for key in raw[part]]
    assert sorted(recipe_keys()) == sorted([*flat, *(raw.keys() - PARTS.keys())])


def test_help_says_every_key_its_default_and_what_it_is_for(capsys):
    with pytest.raises(SystemExit):
        parse("--help")
    page = capsys.readouterr().out
    lines = [line.split()[0] for line in page.splitlines() if line.startswith("  --")]
    assert lines == [*(f"--{name}" for name in ("config", "print_config", "help", *recipe_keys()))]
    words = " ".join(page.split())
    assert "--training.lr learning rate of the backbone (default: 0.001)" in words
    assert (
        "--evaluation.maps score map sources, one record each (wsol list maps) (default: cam)" in words
    )
    assert "--data.flip flip training images left to right half of the time (default: true)" in words
    assert max(map(len, page.splitlines())) <= 100


@pytest.mark.parametrize("cls", [Recipe, *PARTS.values()])
def test_every_setting_is_documented(cls):
    documented = first_sentences(cls)
    fields = set(cls.__dataclass_fields__)
    assert set(documented) == fields
    assert all(len(sentence) > 4 for sentence in documented.values())


def test_reading_a_recipe_imports_neither_torch_nor_a_second_parser(config):
    program = (
        "import sys; from wsol.cli.recipe_arguments import parse_recipe\n"
        f"parse_recipe(['--config', {config!r}, '--seed', '1'], 'train')\n"
        "from wsol.cli.main import main\n"
        "try: main(['train', '--help'])\nexcept SystemExit: pass\n"
        "sys.exit('torch' in sys.modules or 'jsonargparse' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


def test_threads_have_a_short_form():
    for argv in (["--threads", "3"], ["--how.threads=3"]):
        recipe, _ = parse_recipe(argv, "train")
        assert recipe.how.threads == 3
