"""Attacks by hand and beside captum's; runs under attack at the threshold of clean images."""

import csv
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from wsol.cli.main import main
from wsol.data.loading.loader import eval_loader
from wsol.data.loading.transforms import Normalise
from wsol.data.manifest.manifest import Manifest
from wsol.errors import UserError
from wsol.pipeline.evaluate_run import evaluate_run
from wsol.pipeline.model import Model
from wsol.pipeline.robustness.attacks import Attack, Attacker
from wsol.pipeline.robustness.outputs import COLUMNS, cells
from wsol.pipeline.robustness.robustness import robustness
from wsol.pipeline.train import train

MEAN, STD = (0.4, 0.5, 0.6), (0.2, 0.25, 0.3)
COLUMNS_OF = [[0], [1], [2]]


class Small(nn.Module):
    """Smooth, so that gradients are nowhere exactly zero."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(
            nn.Conv2d(3, 4, 3), nn.Tanh(), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(16, 3)
        )

    def forward(self, images):
        return SimpleNamespace(logits=self.layers(images))


def normalised(count=4, side=12):
    """Images of every value, with some pixels that are black and some that are white."""
    pixels = np.random.default_rng(0).integers(0, 256, (count, side, side, 3), np.uint8)
    pixels[:, 0], pixels[:, 1] = 0, 255
    return torch.stack([Normalise(MEAN, STD)(one) for one in pixels])


def in_pixels(images):
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (MEAN, STD))
    return images * std + mean


LABELS, INDICES = [0, 1, 2, 0], [0, 1, 2, 3]


def attacker(columns=COLUMNS_OF):
    return Attacker(Small().eval(), columns, MEAN, STD)


def test_fgsm_is_the_sign_of_the_gradient_by_hand():
    images, epsilon = normalised(), 8
    changed = attacker().change(images, LABELS, INDICES, Attack("fgsm", epsilon))
    # By differences, in float64, of a few pixels; a step that leaves no doubt about the sign.
    network = Small().eval().double()
    losses = nn.CrossEntropyLoss(reduction="none")

    def loss(shown):
        return losses(network(shown).logits, torch.tensor(LABELS))

    for channel, row, column in [(0, 5, 5), (1, 2, 9), (2, 8, 3)]:
        shift = torch.zeros(3, 12, 12, dtype=torch.float64)
        shift[channel, row, column] = 1e-4
        uphill = torch.sign(loss(images.double() + shift) - loss(images.double() - shift))
        pixel = in_pixels(images)[:, channel, row, column]
        expected = (pixel + uphill.float() * epsilon / 255).clamp(0, 1).detach()
        np.testing.assert_allclose(in_pixels(changed)[:, channel, row, column], expected, atol=1e-6)


def test_of_a_linear_network_fgsm_is_the_sign_of_the_weights():
    class Linear(nn.Module):
        def forward(self, images):
            value = (2 * images[:, 0] - 3 * images[:, 1]).sum((1, 2))
            return SimpleNamespace(logits=torch.stack([value, torch.zeros_like(value)], dim=1))

    images = 0.01 * torch.randn(2, 3, 4, 4)
    changed = Attacker(Linear(), [[0], [1]], MEAN, STD).change(images, [0, 1], [0, 1], Attack("fgsm", 2))
    moved = (in_pixels(changed) - in_pixels(images)) * 255
    # Down the first channel and up the second where class 0 is the true one; the third says nothing.
    for image, sign in enumerate((-1, 1)):
        for channel, expected in enumerate((2 * sign, -2 * sign, 0)):
            np.testing.assert_allclose(moved[image, channel], expected, atol=1e-4)


@pytest.mark.parametrize("attack", [Attack("fgsm", 8), Attack("pgd", 8, steps=4, restarts=2)])
def test_a_changed_image_is_an_image_within_epsilon(attack):
    images = normalised()
    changed = attacker().change(images, LABELS, INDICES, attack)
    pixels = in_pixels(changed)
    assert pixels.min() >= -1e-6 and pixels.max() <= 1 + 1e-6
    assert (pixels - in_pixels(images)).abs().max() <= 8 / 255 + 1e-6
    assert (pixels[:, :, 0] > 0.01).any() and (
        pixels[:, :, 1] < 0.99
    ).any()  # black and white move inside
    network = attacker()
    assert (network.losses(changed, LABELS) > network.losses(images, LABELS)).all()


@pytest.mark.parametrize("name", ["fgsm", "pgd"])
def test_epsilon_zero_changes_no_bit(name):
    images = normalised()
    assert torch.equal(attacker().change(images, LABELS, INDICES, Attack(name, 0)), images)


def test_pgd_of_one_whole_step_from_the_image_is_fgsm():
    images = normalised()
    one = Attack("pgd", 4, steps=1, step_size=4, random_start=False)
    assert torch.equal(
        attacker().change(images, LABELS, INDICES, one),
        attacker().change(images, LABELS, INDICES, Attack("fgsm", 4)),
    )


def test_captum_makes_the_same_images():
    """Its attacks know no normalisation and one bound for all channels: ours with mean 0 and std 1."""
    robust = pytest.importorskip("captum.robust")
    network = Small().eval().double()  # where a gradient is next to zero, rounding decides its sign
    images = in_pixels(normalised()).clamp(0, 1).double()
    ours = Attacker(network, COLUMNS_OF, (0.0,) * 3, (1.0,) * 3)

    def logits(shown):
        return network(shown).logits

    loss, target = nn.CrossEntropyLoss(reduction="none"), torch.tensor(LABELS)
    fgsm = robust.FGSM(logits, loss, lower_bound=0.0, upper_bound=1.0)
    fgsm.zero_thresh = 0  # below which a gradient does not count
    np.testing.assert_allclose(
        ours.change(images, LABELS, INDICES, Attack("fgsm", 6)),
        fgsm.perturb(images, epsilon=6 / 255, target=target).detach(),
        atol=1e-6,
    )
    pgd = robust.PGD(logits, loss, lower_bound=0.0, upper_bound=1.0)
    pgd.fgsm.zero_thresh = 0
    theirs = pgd.perturb(images, radius=6 / 255, step_size=2 / 255, step_num=5, target=target)
    mine = Attack("pgd", 6, steps=5, step_size=2, random_start=False)
    np.testing.assert_allclose(ours.change(images, LABELS, INDICES, mine), theirs.detach(), atol=1e-6)


def test_random_starts_are_the_images_own_and_the_best_restart_is_kept():
    images = normalised()
    several = Attack("pgd", 8, steps=1, step_size=0.5, restarts=5)
    whole = attacker().change(images, LABELS, INDICES, several)
    alone = attacker().change(images[2:3], LABELS[2:3], INDICES[2:3], several)
    np.testing.assert_allclose(whole[2:3], alone, atol=1e-6)
    network = attacker()
    found = network.losses(whole, LABELS)
    once = network.change(images, LABELS, INDICES, Attack("pgd", 8, steps=1, step_size=0.5))
    assert (found >= network.losses(once, LABELS) - 1e-6).all()
    assert (found > network.losses(once, LABELS) + 1e-6).any()


def test_classes_that_stand_together_are_attacked_together():
    network = attacker([[0, 1]])
    images = normalised()[:1]
    shares = network.network(images).logits.softmax(1)[0]
    expected = -torch.log(shares[0] + shares[1])
    np.testing.assert_allclose(network.losses(images, [0]).detach(), expected.detach()[None], atol=1e-6)


def test_gradients_of_weights_are_left_alone_and_inference_mode_is_no_hindrance():
    network = attacker()
    with torch.inference_mode():
        images = normalised().clone()
        changed = network.change(images, LABELS, INDICES, Attack("fgsm", 4))
    assert not torch.equal(changed, images)
    assert all(parameter.grad is None for parameter in network.network.parameters())


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"name": "fgms"}, "did you mean 'fgsm'"),
        ({"epsilon": -1}, "epsilon -1 is not between"),
        ({"steps": 0}, "1 step or more"),
        ({"step_size": 0}, "step size 0 is not above 0"),
    ],
)
def test_what_is_no_attack_is_refused(wrong, words):
    with pytest.raises(UserError, match=words):
        Attack(**{"name": "fgsm", "epsilon": 1} | wrong)


@pytest.fixture
def run(tiny_recipe):
    return train(tiny_recipe.changed(training={"epochs": 1}))


def test_a_run_under_attack(run, tmp_path):
    attacks = [Attack("fgsm", 0), Attack("fgsm", 16), Attack("pgd", 16, steps=3)]
    rows = robustness([run], attacks, {"maps": ("cam", "features")})
    assert [(row.maps, row.name, row.epsilon) for row in rows] == [
        *(("cam", "none", 0), ("features", "none", 0)),
        *(("cam", "fgsm", 16), ("features", "fgsm", 16), ("cam", "pgd", 16), ("features", "pgd", 16)),
    ]
    model = Model.open(run)
    evaluations = evaluate_run(model, None)
    for source, evaluation in evaluations.items():
        clean, *attacked = [row for row in rows if row.maps == source]
        key = "gt_known_loc@0.5"
        # Epsilon 0 is what `wsol evaluate` says, figure by figure; what is attacked keeps its threshold.
        assert clean.figures[key]["value"] == evaluation[key]
        assert clean.figures["top1_acc"] == evaluation.metrics["top1_acc"]
        assert clean.threshold == evaluation.threshold["values"][key]
        assert {row.threshold for row in attacked} == {clean.threshold}
    # By hand: the images changed one batch at a time, the network's own answers.
    manifest = Manifest.read(model.recipe.data.manifest)
    weights, right = model.recipe.weights, []
    columns = [[label] for label in range(len(manifest.class_keys))]
    own = Attacker(model.localizer, columns, weights.mean, weights.std)
    for batch in own.attacked(eval_loader(manifest.split("test"), model.recipe), attacks[1]):
        with torch.no_grad():
            first = model.localizer(batch.images).logits.argmax(1)
        right += (first == batch.labels)[: batch.real].tolist()
    row = rows[2]
    assert row.figures["top1_acc"]["value"] == pytest.approx(100 * np.mean(right))
    clean_top1 = rows[0].figures["top1_acc"]["value"]
    if clean_top1:
        assert row.relative == pytest.approx(100 * row.figures["top1_acc"]["value"] / clean_top1)
    assert len(cells(row)) == len(COLUMNS) and cells(rows[4])[-3:] == ["3", "13.3333", "1"]


def test_the_command_writes_a_table_and_a_picture(run, tmp_path, capsys):
    out = tmp_path / "out"
    words = ["robustness", str(run), "--epsilons", "4", "--attacks", "fgsm", "--output", str(out)]
    assert main([*words, "--images-per-class", "1", "--thresholds", "fixed:0.3"]) == 0
    with (out / "robustness.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["attack"], row["epsilon"], row["threshold"]) for row in rows] == [
        ("none", "0", "0.3000"),
        ("fgsm", "4", "0.3000"),
    ]
    assert rows[0]["top1_acc_relative"] in ("100.000", "")
    with Image.open(out / "robustness.png") as picture:
        assert picture.size[0] > 1000
    assert main([*words[:2], "--epsilons", "a"]) == 2
    assert "--epsilons 'a': numbers with commas" in capsys.readouterr().err
    assert main(["robustness", str(tmp_path / "none")]) == 2
    assert "no such run folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--attacks", "fgsm", "--steps", "5", "--from-image"], "--steps, --from-image: of PGD, which"),
        (["--from-image", "--restarts", "3"], "without a random start --restarts change nothing"),
        (["--from-image", "--seed", "1"], "without a random start --seed change nothing"),
        (["--step-size", "nan"], "'nan' is not a number above 0"),
        (["--step-size", "1,2"], "'1,2' is not a number above 0"),
        (["--classes", "no.csv"], "--classes no.csv"),
    ],
)
def test_options_that_change_nothing_are_refused(words, said, tmp_path, capsys):
    assert main(["robustness", "a run", *words, "--output", str(tmp_path / "out")]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_what_is_named_twice_is_done_once(run, tmp_path, capsys):
    words = ["robustness", str(run), "--epsilons", "4,4", "--attacks", "fgsm,fgsm"]
    assert main([*words, "--images-per-class", "1", "--output", str(tmp_path / "out")]) == 0
    with (tmp_path / "out" / "robustness.csv").open() as file:
        assert [row["attack"] for row in csv.DictReader(file)] == ["none", "fgsm"]
    assert main(["robustness", str(run), str(run)]) == 2
    assert "is named twice" in capsys.readouterr().err
