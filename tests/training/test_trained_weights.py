"""A run's weights: hashed, checked when they are read, never written where they are not finite."""

import hashlib
import json

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from wsol.errors import UserError
from wsol.training.run_folder import RunFolder


@pytest.mark.parametrize("parts", [(), (0, 1)])
def test_run_json_has_the_hashes_of_the_weights_on_disk(finished_run, tmp_path, parts):
    folder = finished_run(parts)
    names = [f"fold{number}/last.safetensors" for number in parts] or ["last.safetensors"]
    assert folder.facts()["weights"] == {
        name: hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in names
    }


@pytest.mark.parametrize("parts", [(), (0, 1)])
@pytest.mark.parametrize("how", ["one bit", "another network's", "an older epoch's", "cut"])
def test_weights_that_were_changed_are_not_scored(finished_run, tmp_path, parts, how):
    folder = finished_run(parts)
    place = folder.fold(1) if parts else folder
    path = place.path / "last.safetensors"
    content = bytearray(path.read_bytes())
    if how == "one bit":
        content[-1] ^= 1
    elif how == "cut":
        del content[-4:]
    else:
        module = nn.Linear(3, 2) if how == "an older epoch's" else nn.Linear(5, 2)
        RunFolder(tmp_path / "other").save_weights(module, "last")
        content = (tmp_path / "other" / "last.safetensors").read_bytes()
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"last\.safetensors: not the weights that were trained"):
        place.load_weights(nn.Linear(3, 2), "last")


@pytest.mark.parametrize("parts", [(), (0, 1)])
def test_a_finished_runs_weights_are_checked_without_a_network(finished_run, tmp_path, parts):
    folder = finished_run(parts)
    folder.check_weights()
    path = (folder.fold(1) if parts else folder).path / "last.safetensors"
    content = path.read_bytes()
    path.write_bytes(content[:-1] + b"!")
    with pytest.raises(UserError, match=r"last\.safetensors: not the weights that were trained"):
        folder.check_weights()
    path.unlink()
    with pytest.raises(UserError, match=r"last\.safetensors: cannot be read"):
        folder.check_weights()


def test_weights_that_run_json_does_not_name_are_not_of_the_run(finished_run, tmp_path):
    folder = finished_run()
    (tmp_path / "last.safetensors").rename(tmp_path / "best_val_cls.safetensors")
    with pytest.raises(UserError, match=r"best_val_cls\.safetensors: not of this run"):
        folder.load_weights(nn.Linear(3, 2), "val_cls")


def test_a_run_of_before_there_were_hashes_is_read(finished_run, tmp_path):
    folder = finished_run()
    facts = folder.facts()
    del facts["weights"]
    (tmp_path / "run.json").write_text(json.dumps(facts))
    module = nn.Linear(3, 2)
    folder.load_weights(module, "last")
    assert torch.equal(module.weight, torch.ones(2, 3))


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("kind", ["parameter", "buffer"])
def test_weights_that_are_not_finite_are_not_written(tmp_path, bad, kind):
    module = nn.BatchNorm1d(3)
    (module.weight.data if kind == "parameter" else module.running_var)[1] = bad
    name = "weight" if kind == "parameter" else "running_var"
    with pytest.raises(UserError, match=rf"last\.safetensors: the weights are not finite \({name}\)"):
        RunFolder(tmp_path).save_weights(module, "last")
    assert not list(tmp_path.iterdir())


def test_a_run_whose_weights_on_disk_are_not_finite_is_not_finished(tmp_path, facts):
    """They may be of a version that did not look."""
    folder = RunFolder(tmp_path)
    save_file(
        {"a": torch.ones(2), "b": torch.tensor([1.0, float("nan")])}, tmp_path / "last.safetensors"
    )
    with pytest.raises(UserError, match=r"not finite \(b\)"):
        folder.write_facts(facts)
    (tmp_path / "last.safetensors").write_bytes(b"damaged")
    with pytest.raises(UserError, match=r"last\.safetensors: damaged"):
        folder.write_facts(facts)
    assert not folder.finished
