"""`wsol check` on a good module and on bad ones: each is told by the check that it breaks."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from rich.console import Console

from wsol.check.added_cost import Cost, measure, saved_bytes
from wsol.check.network_checks import build, one_epoch, recipe_of, small_clutter
from wsol.check.verdict import Verdict, check_attention
from wsol.check.verdict_table import show
from wsol.cli.main import main
from wsol.errors import UserError

SMALL = ["--backbone", "small_resnet", "--input-size", "32"]
FILE = "modules_under_check"


@pytest.fixture(autouse=True)
def modules(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parent)


def test_a_good_module(capsys):
    assert main(["check", f"{FILE}:Good", *SMALL, "--options", "scale=0.5"]) == 0
    output = capsys.readouterr()
    assert "FAIL" not in output.out
    assert f"{FILE}:Good(scale=0.5) keeps the contract: 18 of 18 checks passed" in output.out
    assert output.err == ""


def test_options_are_spelled_as_a_recipe_spells_them_too(capsys):
    words = ["--attention.options.scale=0.9", "--attention.options.scale", "0.5"]
    assert main(["check", f"{FILE}:Good", *SMALL, *words]) == 0
    assert f"{FILE}:Good(scale=0.5) keeps the contract" in capsys.readouterr().out
    assert main(["check", f"{FILE}:Good", *SMALL, "--attention.options.scael", "1"]) == 2
    assert "has no option 'scael': did you mean 'scale'" in capsys.readouterr().err


# The last features of small_resnet at 32 pixels are 96 x 4 x 4.
BAD = {
    "Shrinks": "shape in training: changes the spatial size: "
    "expected (2, 96, 4, 4), found (2, 96, 2, 2)",
    "Widens": "shape in training: returns the wrong channels: "
    "expected (2, 96, 4, 4), found (2, 192, 4, 4)",
    "BreaksUnderEval": "shape at test: breaks under eval: expected (1, 96, 4, 4), found AttributeError",
    "HasUnused": "gradient reaches parameters: parameters get no gradient and are not in "
    "parameters_without_gradient(): expected every undeclared one, found 2 of 4; "
    "none: forgotten.bias, forgotten.weight",
    "DrawsOutsideTheSeed": "determinism: draws outside torch's seed",
    "DrawsAtTest": "determinism: draws at test: expected two calls in eval the same, found they differ",
    "ForgetsOnSaving": "save and load: the state_dict does not hold all of the module",
    "DetachesItsInput": "gradient reaches input: an input gets no gradient: expected finite, not zero, "
    "found no gradient at input 0",
    "GivesNaN": "finite output: the output holds NaN or infinity: expected all finite, found ",
    "GivesNaNAtTest": "finite output: the output holds NaN or infinity: expected all finite, found "
    "3,072 of 3,072 are not at test",
    "CutsTheGraph": "graph is kept: cut off by detach(), .data, no_grad() or NumPy",
    "LeavesTorch": "graph is kept: cut off by detach(), .data, no_grad() or NumPy",
    "MixesTheBatch": "eval keeps state: in eval an image's output depends on its batch",
    "OverflowsInBf16": "bf16: bf16 autocast is far from float32",
    "ReturnsATuple": "shape in training: raises: expected no error, found TypeError: returns tuple: "
    "expected a Tensor or Attended",
    "IsNoIdentity": "starts as identity: declares identity_start, but a fresh one changes: "
    "expected the input, as declared, found",
    "FlatMap": "attention maps: map attention has the wrong shape: "
    "expected (2, 4, 4) or (2, C, 4, 4), finite, found attention (2,)",
    "WrongGrid": "attention maps: map attention has the wrong shape: "
    "expected (2, 4, 4) or (2, C, 4, 4), finite, found attention (2, 9, 1)",
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_module(name, capsys):
    assert main(["check", f"{FILE}:{name}", *SMALL]) == 2
    output = capsys.readouterr()
    assert "FAIL" in output.out
    assert f"{FILE}:{name} breaks the contract" in output.out
    assert "not run before the module alone passes" in output.out
    assert f"{FILE}:{name}: {BAD[name]}" in output.err
    assert "Traceback" not in output.err


def test_a_module_whose_flops_cannot_be_counted_from_shapes(capsys):
    assert main(["check", f"{FILE}:NeedsValues", *SMALL]) == 2
    output = capsys.readouterr()
    assert f"{FILE}:NeedsValues: cost: raises: expected no error, found" in output.err
    assert "one epoch on clutter" in output.out


def test_declared_idle_parameters_pass():
    verdict = check_attention(f"{FILE}:DeclaresUnused", backbone="small_resnet", input_size=32)
    assert verdict.failures == []
    found = {finding.check: finding.found for finding in verdict.findings}
    assert found["gradient reaches parameters"] == "2 of 4, 2 declared"
    assert found["DDP-safe"] == "2 unused, 2 of them declared"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["NeedsNine"], "NeedsNine goes to stage"),
        (["TakesTwo"], "TakesTwo needs the option 'width': it has no default"),
        (["FailsToBuild"], "cannot be built: TypeError: no way"),
        (["Good", "--at", "stage7"], "no stage 'stage7'"),
        (["Good", "--options", "scales=1"], "has no option 'scales': did you mean 'scale'?"),
        (["Good", "--options", "scale"], "'scale' is not KEY=VALUE"),
        (["NoForward"], "NoForward has no forward(features): write one"),
        (["Goof"], "did you mean 'Good'?"),
        (["Good", "--bakbone", "resnet18"], "did you mean '--backbone'?"),
    ],
)
def test_wrong_use_is_one_line(arguments, message, capsys):
    name, *rest = arguments
    assert main(["check", f"{FILE}:{name}", *SMALL, *rest]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("pathlib:Path", "expected a subclass of torch.nn.Module"),
        ("math:sqrt", "expected a subclass of torch.nn.Module"),
        ("torch.nn:Module", "has no forward"),
    ],
)
def test_a_class_that_is_no_module(name, said):
    with pytest.raises(UserError, match=said):
        check_attention(name, backbone="small_resnet", input_size=32)


@pytest.mark.parametrize(
    ("after", "words"), [(11.0, "within the noise of 1.5"), (12.0, "2.0 (+20.0 %)")]
)
def test_a_time_within_the_noise_is_not_told_as_a_difference(after, words):
    bare = Cost(10, 1.0, 10.0, 20.0, 3.0, forward_noise_ms=1.0, backward_noise_ms=0.0)
    attended = Cost(12, 1.0, after, 20.0, 3.0, forward_noise_ms=0.5, backward_noise_ms=0.0)
    verdict = Verdict("m", "stage", "small_resnet", ("stage2",), (), (bare, attended), 4, 32)
    console = Console(width=200, record=True)
    show(verdict, console)
    assert words in console.export_text()


def test_costs_are_what_the_module_adds():
    recipe = recipe_of(f"{FILE}:Good", {}, "small_resnet", ["stage2"], 32)
    bare = build(recipe_of("none", {}, "small_resnet", [], 32))
    attended = build(recipe)
    before, after = measure([bare, attended], 32, batch=2, repeats=1)
    # stage2 has 64 channels at 8 x 8: a 1x1 convolution to one channel with a bias.
    assert after.params - before.params == 64 + 1
    assert (after.gflops - before.gflops) * 1e9 == pytest.approx(64 * 8 * 8)
    assert after.saved_mb > before.saved_mb


def test_saved_bytes_count_each_storage_once_and_no_parameters():
    class Tiny(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = torch.nn.Conv2d(3, 2, 1, bias=False)

        def forward(self, images):
            logits = self.conv(images).exp().mean(dim=(2, 3))
            return type("Output", (), {"logits": logits})

    # Kept: the images for the weight's gradient, exp's own output, the logits for the square.
    images = torch.randn(2, 3, 8, 8)
    assert saved_bytes(Tiny(), images) == 4 * (2 * 3 * 64 + 2 * 2 * 64 + 2 * 2)


def test_an_epoch_whose_loss_runs_off_fails(monkeypatch):
    recipe = recipe_of(f"{FILE}:Good", {"scale": 1e30}, "small_resnet", [], 32)
    finding = one_epoch(recipe, images=32, batch=16)
    assert not finding.passed
    assert "not finite" in finding.line


def test_small_clutter_has_every_class_and_repeats():
    pixels, labels = small_clutter(20, 32)
    assert pixels.shape == (20, 3, 32, 32)
    assert labels.tolist() == [*range(10), *range(10)]
    again, _ = small_clutter(20, 32)
    assert torch.equal(pixels, again)


def test_a_default_map_that_is_none_of_its_own(capsys):
    assert main(["check", f"{FILE}:NamesNoMapOfItsOwn", *SMALL]) == 2
    assert "default map: default_map names no map of its own" in capsys.readouterr().err
