"""HaS, CutMix, ACoL and SPG against wsolevaluation's own outputs, its random draws given."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from wsol.methods.acol import ACoL
from wsol.methods.cutmix import mixed, rectangle
from wsol.methods.has import with_hidden
from wsol.methods.spg import SPG, Said, guided, mask_of
from wsol.models.class_maps import of_classes, stretched
from wsol.models.erasing_head import ErasingHead
from wsol.models.factory import build_localizer
from wsol.recipe import BackboneSettings, Recipe

pytestmark = pytest.mark.golden


@pytest.fixture
def cases_of(golden_file):
    """Gives the cases of a method: their arrays by name."""

    def read(method: str) -> dict[str, dict[str, np.ndarray]]:
        found: dict[str, dict[str, np.ndarray]] = {}
        with np.load(golden_file("wsol_methods.npz")) as file:
            for key in file.files:
                own, case, rest = key.split("/", 2)
                if own == method:
                    found.setdefault(case, {})[rest] = file[key]
        assert found
        return found

    return read


def test_has_hides_the_same_cells(cases_of):
    for case in cases_of("has").values():
        config = json.loads(str(case["config"]))
        hidden = torch.from_numpy(case["uniform_draws"] <= config["drop_rate"])
        np.testing.assert_array_equal(hidden, case["hidden_cells"])
        images = torch.from_numpy(case["input"])
        found = with_hidden(images, hidden, config["grid_size"])
        np.testing.assert_array_equal(found, case["output"])
        everywhere = with_hidden(torch.ones_like(images), hidden, config["grid_size"])
        np.testing.assert_array_equal(everywhere[:, 0] > 0, case["kept_pixels"])


def test_cutmix_mixes_the_same_rectangle(cases_of):
    cases = cases_of("cutmix")
    for name in ("square", "tall"):
        case = cases[name]
        images = torch.from_numpy(case["input"])
        height, width = images.shape[2:]
        centre = tuple(case["centre_axis2_axis3"].tolist())
        cut = rectangle(height, width, float(case["beta_draw"]), centre)
        assert list(cut) == case["box_axis2lo_axis3lo_axis2hi_axis3hi"].tolist()
        assert 1 - cut.area / (height * width) == float(case["adjusted_lambda"])
        found = mixed(images, torch.from_numpy(case["permutation"]), cut)
        np.testing.assert_array_equal(found, case["output"])


def test_cutmix_has_the_reference_rectangles_at_every_share_and_centre(cases_of):
    for size, rows in cases_of("cutmix")["box_rule"].items():
        height, width = map(int, size.split("x"))
        for share, row, column, *box, kept in rows.tolist():
            cut = rectangle(height, width, share, (int(row), int(column)))
            assert list(cut) == box and 1 - cut.area / (height * width) == pytest.approx(kept)


CLOSE = {"rtol": 1e-5, "atol": 1e-6}
PLACES = {"conv1": "before.0", "conv2": "before.2", "class_conv": "classifier"}


def test_acol_erases_says_and_shows_what_the_reference_does(cases_of):
    for name, case in cases_of("acol").items():
        config = json.loads(str(case["config"]))
        given = config["labels_passed_to_forward"]
        features = torch.from_numpy(case["feature"]).requires_grad_()
        labels = torch.from_numpy(case["labels"])
        weights = {key.removeprefix("weights/"): case[key] for key in case if key.startswith("weights/")}
        classes, width = weights["branch_a.class_conv.weight"].shape[:2]
        head = ErasingHead(features.shape[1], classes, width, config["drop_threshold"])
        state = {}
        for key, value in weights.items():
            branch, layer, tensor = key.split(".")
            ours = "first" if branch == "branch_a" else "second"
            state[f"{ours}.{PLACES[layer]}.{tensor}"] = torch.from_numpy(value)
        head.load_state_dict(state)
        first, second = head.branches(features, labels if given else None)
        attended = torch.from_numpy(case["attention_label"])
        attention = stretched(of_classes(first.class_maps, attended))
        compared = {
            "logits_a": first.logits,
            "logits_b": second.logits,
            "class_maps_a": first.class_maps,
            "class_maps_b": second.class_maps,
            "attention": attention[:, None],
            "erased_feature": features.masked_fill(attention[:, None] >= head.threshold, 0),
        }
        both = [stretched(of_classes(one.class_maps, labels)) for one in (first, second)]
        compared["cam"] = torch.maximum(*both)
        if given:
            torch.testing.assert_close(head.map_of(features, labels[:, None].tolist()), compared["cam"])
        losses = [torch.nn.functional.cross_entropy(one.logits, labels) for one in (first, second)]
        loss = torch.stack(losses).sum()
        assert float(loss.detach()) == pytest.approx(float(case["loss"]), rel=1e-6)
        (compared["loss_grad_feature"],) = torch.autograd.grad(loss, features)
        worst = 0.0
        for key, found in compared.items():
            torch.testing.assert_close(found, torch.from_numpy(case[key]), **CLOSE, msg=key)
            worst = max(worst, float((found.detach() - torch.from_numpy(case[key])).abs().max()))
        print(f"acol {name:20} largest difference {worst:.1e}")


BACKBONES = {
    "vgg16": BackboneSettings("vgg16"),
    "resnet50": BackboneSettings("resnet50", strides={"stage5": 1}),
    "inception_v3": BackboneSettings("inception_v3"),
}


# What the reference's own counts say of SPG's widths; ACoL's are the same everywhere.
SPG_WIDTHS = {
    "vgg16": {"width": 512},
    "resnet50": {
        "places": ["stage4.0", "stage4"], "convolutions": 0, "side": 1024, "deep": 1024, "third": 512,
    },
}  # fmt: skip


@pytest.mark.parametrize("classes", [200, 1000])
@pytest.mark.parametrize("kind", [ACoL, SPG])
@pytest.mark.parametrize("name", BACKBONES)
def test_two_methods_have_the_references_parameters(golden_file, name, kind, classes):
    facts = json.loads(golden_file("backbone_facts.json").read_text())["networks"]
    (wanted,) = {
        one["parameters"]
        for one in facts
        if (one["backbone"], one["method"], one["num_classes"]) == (name, kind.__name__.lower(), classes)
    }
    options = SPG_WIDTHS.get(name, {}) if kind is SPG else {}
    with torch.device("meta"):
        method = kind(build_localizer(Recipe(backbone=BACKBONES[name]), classes), **options)
    assert sum(one.numel() for one in method.parameters()) == wanted


def test_spg_masks_and_losses_are_the_references(cases_of):
    for name, case in cases_of("spg").items():
        size = case["attention"].shape[-2:]
        said = Said(
            *(torch.from_numpy(case[f"logits_{one}"]).requires_grad_() for one in ("b1", "b2", "c"))
        )
        class_maps, labels = torch.from_numpy(case["class_maps"]), torch.from_numpy(case["labels"])
        logits = torch.from_numpy(case["logits"]).requires_grad_()
        pairs = case["thresholds_high_low"].tolist()
        b2 = torch.nn.functional.interpolate(said.second, size=size, mode="bilinear").sigmoid()
        given = (torch.from_numpy(case["attention"]), b2, torch.from_numpy(case["fused_attention"]))
        for shown, pair, key in zip(
            given, pairs, ("b2_from_attention", "b1_from_b2", "c_from_fused"), strict=True
        ):
            wrong = mask_of(shown.detach(), *pair).numpy() != case[f"mask_for_{key}"]
            assert wrong.mean() <= 1e-4  # next to a threshold implementations may differ
        losses = guided(class_maps, labels, said, pairs, size)
        classified = torch.nn.functional.cross_entropy(logits, labels)
        terms = torch.stack([classified, losses.second, losses.first, losses.third])
        loss = terms.sum()
        assert terms.tolist() == pytest.approx(case["loss_terms"].tolist(), rel=1e-6)
        assert float(loss.detach()) == pytest.approx(float(case["loss"]), rel=1e-6)
        gradients = torch.autograd.grad(loss, [*said, logits])
        worst = 0.0
        for found, key in zip(gradients, ("logits_b1", "logits_b2", "logits_c", "logits"), strict=True):
            wanted = torch.from_numpy(case[f"loss_grad_{key}"])
            torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-8, msg=key)
            worst = max(worst, float((found - wanted).abs().max()))
        print(
            f"spg {name:20} loss {float(loss.detach()) - float(case['loss']):.1e}  gradient {worst:.1e}"
        )
