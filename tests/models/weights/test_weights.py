"""Weights from files: whole, of the right network, or one line that says what is wrong."""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import pickle
import warnings
import zipfile
from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file

from wsol.errors import UserError
from wsol.models.factory import build_localizer
from wsol.models.weights.loading import read_state, with_sha256
from wsol.recipe import Recipe, WeightsSettings


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(2)


def network_state(name: str = "mobilenetv2_035") -> dict[str, torch.Tensor]:
    state = timm.create_model(name).state_dict()
    return {
        key: value + 0.01 * torch.rand_like(value) if value.is_floating_point() else value
        for key, value in state.items()
    }


@pytest.fixture(scope="module")
def state():
    torch.manual_seed(4)
    return network_state()


def build(
    path, *, head: str = "cam", backbone: str = "mobilenetv2_035", attention: str = "none", **weights
):
    settings = {
        "backbone": {"name": backbone},
        "weights": {"name": "mine", "file": str(path), **weights},
        "head": {"name": head},
        "attention": {"name": attention},
        "data": {"input_size": 64},
    }
    return build_localizer(Recipe.from_dict(settings), 3)


def test_weights_go_in_before_attention(tmp_path, state):
    path = tmp_path / "weights.safetensors"
    save_file(state, path)
    built = build(path, attention="se").eval()
    network = timm.create_model("mobilenetv2_035")
    network.load_state_dict(state)
    plain = build(path).eval()
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(plain(images).features, network.eval().forward_features(images))
        assert not torch.equal(built(images).features, plain(images).features)
    stem = built.backbone.stages["stage1"][0].weight
    assert torch.equal(stem, state["conv_stem.weight"])


def test_native_head_brings_the_files_classifier(tmp_path, state):
    path = tmp_path / "weights.pth"
    torch.save(state, path)
    built = build(path, head="native")
    assert torch.equal(built.head.classifier.weight[:, :, 0, 0], state["classifier.weight"])
    assert torch.equal(built.head.classifier.bias, state["classifier.bias"])
    assert built.class_keys[:2] == ["n01440764", "n01443537"]
    assert len(built.class_keys) == 1000


def test_the_classifier_may_be_missing_but_not_for_a_native_head(tmp_path, state):
    path = tmp_path / "weights.safetensors"
    save_file({key: value for key, value in state.items() if not key.startswith("classifier")}, path)
    build(path)
    with pytest.raises(UserError, match=r"2 missing \(classifier.bias, classifier.weight\)"):
        build(path, head="native")


def test_a_classifier_of_other_classes_is_left_out(tmp_path, state):
    path = tmp_path / "weights.safetensors"
    save_file(
        state | {"classifier.weight": torch.zeros(5, 1280), "classifier.bias": torch.zeros(5)}, path
    )
    assert build(path).head.classifier.weight.shape == (3, 1280, 1, 1)


def test_training_checkpoints_are_opened(tmp_path):
    content = {"a.weight": torch.ones(2)}
    path = tmp_path / "checkpoint.pth"
    wrapped = {"module." + key: value for key, value in content.items()}
    torch.save({"state_dict": wrapped, "epoch": 3, "args": argparse.Namespace(lr=0.1)}, path)
    assert read_state(path).keys() == content.keys()


class Unsafe:
    pass


class RunsCode:
    """Unpickled by Python it would write a file."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return Path.touch, (self.marker,)


def saved(content):
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


def zipped():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.txt", "no weights")
    return buffer.getvalue()


NO_TENSORS = {
    "text": lambda marker: b"not weights",
    "empty": lambda marker: b"",
    "a zip": lambda marker: zipped(),
    "JSON": lambda marker: b'{"weight": 1}',
    "a pickle of code": lambda marker: pickle.dumps(RunsCode(marker)),
    "code beside tensors": lambda marker: saved({"a": torch.ones(1), "b": RunsCode(marker)}),
    "a module": lambda marker: saved(torch.nn.Linear(2, 2)),
    "cut off": lambda marker: saved({"a": torch.ones(1000)})[:2000],
    "nested": lambda marker: b"\x80\x02" + b"(" * 100_000,
}


@pytest.mark.parametrize("kind", NO_TENSORS)
@pytest.mark.parametrize("name", ["broken.safetensors", "broken.pth", "broken.pt"])
def test_what_is_no_file_of_weights_is_one_line_and_runs_nothing(tmp_path, name, kind):
    path, marker = tmp_path / name, tmp_path / "marker"
    path.write_bytes(NO_TENSORS[kind](marker))
    with warnings.catch_warnings(), pytest.raises(UserError) as caught:
        warnings.simplefilter("error")
        read_state(path)
    assert str(caught.value).startswith(f"{path}: ") and "\n" not in str(caught.value)
    assert "weights_only" not in str(caught.value) and not marker.exists()


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo], ids=["a folder", "a pipe"])
@pytest.mark.parametrize("name", ["weights.safetensors", "weights.pth"])
def test_what_is_no_file_at_all_is_named_and_never_waited_for(tmp_path, name, make):
    make(tmp_path / name)
    with pytest.raises(UserError, match=rf"{name}: is a (folder|pipe), not a file"):
        read_state(tmp_path / name)


def test_a_table_of_something_else_is_refused(tmp_path):
    path = tmp_path / "numbers.pth"
    torch.save({"epoch": 3}, path)
    with pytest.raises(UserError, match="holds no table of tensors"):
        read_state(path)


def test_missing_file_and_other_network(tmp_path, state):
    with pytest.raises(UserError, match=r"gone.pth: no such weights file; see weights.file"):
        build(tmp_path / "gone.pth")
    path = tmp_path / "weights.safetensors"
    save_file(state, path)
    with pytest.raises(
        UserError, match=r"not weights of resnet18: tensors \d+ missing \(.*\.\.\.\); \d+ unexpected"
    ):
        build(path, backbone="resnet18")
    save_file(state | {"conv_stem.weight": torch.zeros(4, 3, 3, 3)}, path)
    with pytest.raises(
        UserError, match=r"tensors 1 unexpected or of another shape \(conv_stem.weight\)"
    ):
        build(path)


def test_sha256_is_filled_in_and_checked(tmp_path):
    path = tmp_path / "weights.safetensors"
    save_file({"a": torch.ones(1)}, path)
    expected = hashlib.sha256(path.read_bytes()).hexdigest()
    card = with_sha256(WeightsSettings(name="mine", file=str(path)))
    assert card.sha256 == expected
    assert with_sha256(card) == card
    assert with_sha256(WeightsSettings()) == WeightsSettings()
    with pytest.raises(UserError, match=f"sha256 is 00ff, but the file's is {expected}"):
        with_sha256(WeightsSettings(file=str(path), sha256="00ff"))


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"name": "mine"}, "weights.name 'mine' needs weights.file"),
        ({"format": "tadm", "file": "x.pth"}, "unknown weights.format 'tadm': did you mean 'tdam'"),
        ({"format": "tdam"}, "weights.format tdam needs weights.file"),
    ],
)
def test_wrong_cards(tmp_path, weights, message):
    if "file" in weights:
        weights = weights | {"file": str(tmp_path / weights["file"])}
        torch.save({}, weights["file"])
    recipe = Recipe.from_dict({"backbone": {"name": "small_resnet"}, "weights": weights})
    with pytest.raises(UserError, match=message):
        build_localizer(recipe, 3)


def test_weights_may_be_left_out():
    recipe = Recipe.from_dict(
        {"backbone": {"name": "small_resnet"}, "weights": {"name": "mine", "file": "gone.pth"}}
    )
    assert build_localizer(recipe, 3, load_weights=False).head.num_classes == 3


@pytest.mark.shared
def test_published_squeezenet_classifies_real_images(real_data):
    """The first images of three classes, ImageNet top-1: 57.6 % of all 250, so most of these."""
    import csv

    import numpy as np
    from PIL import Image

    built = build(
        real_data / "weights/squeezenet1_1_imagenet.safetensors", head="native", backbone="squeezenet1_1"
    ).eval()
    with (real_data / "imagenette/LOC_val_solution.csv").open() as file:
        rows = sorted(csv.DictReader(file), key=lambda row: row["PredictionString"].split()[0])[::25]
    mean, std = (
        torch.tensor(values)[:, None, None] for values in (WeightsSettings().mean, WeightsSettings().std)
    )
    folder = real_data / "imagenette/ILSVRC/Data/CLS-LOC/val"
    hits = 0
    for row in rows:
        pixels = np.array(Image.open(folder / f"{row['ImageId']}.JPEG").convert("RGB"))
        image = (torch.from_numpy(pixels).permute(2, 0, 1) / 255 - mean) / std
        with torch.no_grad():
            top5 = built(image[None]).logits[0].topk(5).indices
        hits += row["PredictionString"].split()[0] in [built.class_keys[index] for index in top5]
    assert len(rows) == 10
    assert hits >= 7


@pytest.mark.shared
def test_published_mobilenet_is_timms_bit_for_bit(real_data):
    path = real_data / "weights/mobilenetv2_035_imagenet.safetensors"
    options = {"pad_type": "same", "bn_eps": 1e-3}
    recipe = Recipe.from_dict(
        {
            "backbone": {"name": "mobilenetv2_035", "options": options},
            "weights": {"name": "mine", "file": str(path)},
        }
    )
    network = timm.create_model("mobilenetv2_035", num_classes=0, **options).eval()
    network.load_state_dict(read_state(path))
    images = torch.randn(2, 3, 96, 96)
    with torch.no_grad():
        features = build_localizer(recipe, 3).eval()(images).features
        assert torch.equal(features, network.forward_features(images))
