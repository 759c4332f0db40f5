"""Weights inside checkpoints of other people's training: found by the names that are wanted."""

from __future__ import annotations

import sys
import types
from collections import OrderedDict

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file

from wsol.errors import UserError
from wsol.models.factory import build_localizer
from wsol.models.weights.loading import read_state, tensors_sha256
from wsol.recipe import Recipe

NAME = "mobilenetv2_035"


@pytest.fixture(scope="module")
def state():
    torch.manual_seed(6)
    network = timm.create_model(NAME)
    return {
        name: torch.rand_like(value) if value.is_floating_point() else value
        for name, value in network.state_dict().items()
    }


def build(path, head: str = "cam", **weights):
    settings = {
        "backbone": {"name": NAME},
        "weights": {"name": "mine", "file": str(path), **weights},
        "head": {"name": head},
        "data": {"input_size": 64},
    }
    return build_localizer(Recipe.from_dict(settings), 3)


def under(prefix: str, state):
    return {prefix + name: value for name, value in state.items()}


def half(state):
    return {name: value.half() if value.is_floating_point() else value for name, value in state.items()}


OPTIMIZER = {"state": {0: {"exp_avg": torch.ones(3)}}, "param_groups": [{"lr": 0.1}]}
WRAPPED = {
    "plain": lambda s: s,
    "ordered": lambda s: OrderedDict(s),
    "torch.compile": lambda s: under("_orig_mod.", s),
    "compiled DataParallel": lambda s: under("module._orig_mod.", s),
    "DataParallel of compiled": lambda s: under("_orig_mod.module.", s),
    "twice": lambda s: under("module.module.", s),
    "Lightning": lambda s: {
        "state_dict": under("model.", s),
        "optimizer_states": [OPTIMIZER],
        "epoch": 1,
    },
    "Lightning, compiled": lambda s: {"state_dict": under("model._orig_mod.", s)},
    "inner DataParallel": lambda s: {"state_dict": under("net.module.", s)},
    "with its loss": lambda s: {"state_dict": under("net.", s) | {"loss.weight": torch.ones(9)}},
    "an average alone": lambda s: {"state_dict_ema": s, "optimizer": OPTIMIZER},
    "model_ema": lambda s: {"model_ema": under("module.", s), "epoch": 4},
    "net": lambda s: {"net": s, "acc": 91.2, "epoch": torch.tensor(3)},
    "params": lambda s: {"params": s},
    "nested": lambda s: {"checkpoint": {"model": s}},
    "MoCo": lambda s: {
        "state_dict": under("module.encoder_q.", s)
        | under("module.encoder_k.", {name: value + 1 for name, value in s.items()})
        | {"module.queue": torch.ones(4, 8), "module.queue_ptr": torch.zeros(1)},
        "optimizer": OPTIMIZER,
    },
    "counters left out": lambda s: {n: v for n, v in s.items() if "num_batches" not in n},
    "a table beside": lambda s: {"generator": {"a.weight": torch.ones(3)}, "classifier_part": s},
}


@pytest.mark.parametrize("how", WRAPPED)
def test_the_weights_are_found_whatever_wraps_them(tmp_path, state, how):
    plain, path = tmp_path / "plain.pth", tmp_path / "weights.pth.tar"
    torch.save(state, plain)
    torch.save(WRAPPED[how](state), path)
    expected, found = build(plain), build(path)
    assert found.pretrained_sha256 == expected.pretrained_sha256
    stem = found.backbone.stages["stage1"][0].weight
    assert torch.equal(stem, state["conv_stem.weight"])


def test_the_hash_is_of_the_tensors_as_they_are_in_the_file(tmp_path, state):
    path = tmp_path / "weights.pth"
    torch.save({"state_dict": under("module.", half(state)), "epoch": 3}, path)
    features = {name: value for name, value in half(state).items() if not name.startswith("classifier")}
    assert build(path).pretrained_sha256 == tensors_sha256(features)


def test_half_precision_is_cast_and_said(tmp_path, state, capsys):
    path = tmp_path / "half.safetensors"
    save_file(under("model.", half(state)), path)
    stem = build(path).backbone.stages["stage1"][0].weight
    assert stem.dtype == torch.float32 and torch.equal(stem, state["conv_stem.weight"].half().float())
    assert "tensors of type float16, cast to float32" in capsys.readouterr().err


def test_mmcls_classifier_stands_elsewhere(tmp_path, state):
    path = tmp_path / "mmcls.pth"
    features = {name: value for name, value in state.items() if not name.startswith("classifier")}
    head = {f"head.{name}": value for name, value in state.items() if name.startswith("classifier")}
    torch.save({"meta": {"epoch": 2}, "state_dict": under("backbone.", features) | head}, path)
    built = build(path, head="native")
    assert torch.equal(built.head.classifier.weight[:, :, 0, 0], state["classifier.weight"])


@pytest.mark.parametrize("together", [True, False])
def test_of_student_and_teacher_the_user_chooses(tmp_path, state, together):
    path = tmp_path / "dino.pth"
    teacher = {name: value + 1 for name, value in state.items()}
    if together:
        content = {"state_dict": under("student.backbone.", state) | under("teacher.backbone.", teacher)}
    else:
        content = {"student": under("module.backbone.", state), "teacher": under("backbone.", teacher)}
    torch.save(content | {"epoch": 1}, path)
    with pytest.raises(UserError, match=r"dino.pth: holds several .*student.*teacher.*weights.key"):
        build(path)
    for key, wanted in (("student", state), ("teacher", teacher)):
        stem = build(path, key=key).backbone.stages["stage1"][0].weight
        assert torch.equal(stem, wanted["conv_stem.weight"])
    with pytest.raises(UserError, match=r"weights.key 'techer': no such weights in the file"):
        build(path, key="techer")


def test_of_weights_and_their_average_the_weights_are_taken_as_ever_and_it_is_said(
    tmp_path, state, capsys
):
    path = tmp_path / "timm.pth.tar"
    average = {name: value + 1 for name, value in state.items()}
    torch.save({"state_dict_ema": average, "state_dict": state}, path)
    assert torch.equal(read_state(path)["conv_stem.weight"], state["conv_stem.weight"])
    assert "takes state_dict; it holds state_dict_ema too, see weights.key" in capsys.readouterr().err
    taken = read_state(path, "state_dict_ema")
    assert torch.equal(taken["conv_stem.weight"], average["conv_stem.weight"])


def test_a_prefix_goes_only_where_all_names_then_fit(tmp_path, state):
    path = tmp_path / "lacking.pth"
    lacking = {name: value for name, value in state.items() if name != "blocks.0.0.conv_dw.weight"}
    torch.save({"state_dict": under("model.", lacking)}, path)
    with pytest.raises(UserError, match=r"missing \(.*unexpected .*model\.blocks"):
        build(path)


def test_the_network_whose_shapes_the_file_has_is_named(tmp_path):
    path = tmp_path / "other.pth"
    torch.save(timm.create_model("resnet18", num_classes=5).state_dict(), path)
    with pytest.raises(UserError, match="their shapes are those of resnet18"):
        build(path)


def test_a_file_without_tensors_is_told_by_its_keys(tmp_path):
    path = tmp_path / "numbers.pth"
    torch.save({"epoch": 3, "args": {"lr": 0.1}, "optimizer": OPTIMIZER}, path)
    with pytest.raises(UserError, match=r"no table of tensors by name \(its keys are epoch, args, opt"):
        read_state(path)


def test_plain_data_of_other_packages_beside_the_tensors_is_no_obstacle(tmp_path, monkeypatch):
    """As Lightning writes it, whose class need not be installed to read the file."""
    name = "pytorch_lightning.utilities.parsing"
    for part in ("pytorch_lightning", "pytorch_lightning.utilities", name):
        monkeypatch.setitem(sys.modules, part, types.ModuleType(part))
    kind = type("AttributeDict", (dict,), {"__module__": name})
    monkeypatch.setattr(sys.modules[name], "AttributeDict", kind, raising=False)
    content = {
        "state_dict": {"a": torch.ones(2)},
        "hyper_parameters": kind(lr=0.1),
        "best": np.float64(61.5),
        "epoch": np.int64(4),
    }
    torch.save(content, tmp_path / "last.ckpt")
    monkeypatch.undo()
    assert read_state(tmp_path / "last.ckpt")["a"].tolist() == [1, 1]
