"""resume.pth: what a run's progress holds, and how a damaged one is named."""

import pytest
import torch

from wsol.errors import UserError
from wsol.training.run_folder import RunFolder

PROGRESS = {
    "epochs": 2,
    "log": [{"loss": 2.5}, {"loss": 1.5}],
    "best": {},
    "module": {"weight": torch.tensor([0.123, 4.567, 8.901])},
    "precision": {},
    "optimizers": {"main": {"state": {0: {"step": torch.ones(1)}}}},
}


def test_progress_and_the_finished_mark(tmp_path, facts):
    folder = RunFolder(tmp_path / "run")
    assert folder.progress() is None
    with pytest.raises(UserError, match="has not finished"):
        folder.facts()
    folder.save_progress(PROGRESS)
    assert folder.progress()["epochs"] == 2
    folder.write_facts(facts)
    folder.tidy()
    assert folder.facts() == {**facts, "weights": {}}
    assert folder.progress() is None


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"epochs": "2"}, "epochs is not a whole number"),
        ({"epochs": True}, "epochs is not a whole number"),
        ({"epochs": 3}, "3 epochs, but a log of 2"),
        ({"epochs": -1, "log": []}, "-1 epochs"),
        ({"log": None}, "log is not a list"),
        ({"log": [1, 2]}, "a row without a loss"),
        ({"best": [1.0]}, "best is not a mapping"),
        ({"best": {"val_loc": torch.ones(2)}}, "best values are not numbers"),
        ({"module": torch.ones(3)}, "module is not a mapping"),
        ({"precision": 1}, "precision is not a mapping"),
    ],
)
def test_progress_of_another_form_is_named(tmp_path, changed, said):
    folder = RunFolder(tmp_path)
    folder.save_progress(PROGRESS | changed)
    with pytest.raises(UserError, match=rf"resume\.pth: .*{said}.*; delete it"):
        folder.progress()


@pytest.mark.parametrize("missing", PROGRESS.keys() - {"optimizers"})
def test_progress_that_lacks_something_is_named(tmp_path, missing):
    folder = RunFolder(tmp_path)
    folder.save_progress({key: value for key, value in PROGRESS.items() if key != missing})
    with pytest.raises(UserError, match=rf"resume\.pth: lacks {missing}; delete it"):
        folder.progress()


@pytest.mark.parametrize("keep", [0, 10, 200, -1])
def test_progress_that_is_cut_off_is_named(tmp_path, keep):
    folder = RunFolder(tmp_path)
    folder.save_progress(PROGRESS)
    path = tmp_path / "resume.pth"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(UserError, match=r"resume\.pth: .*; delete it and the run begins anew"):
        folder.progress()


def test_progress_with_another_byte_in_a_tensor_is_named(tmp_path):
    folder = RunFolder(tmp_path)
    folder.save_progress(PROGRESS)
    path = tmp_path / "resume.pth"
    content = path.read_bytes()
    place = content.index(PROGRESS["module"]["weight"].numpy().tobytes())
    path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
    # torch itself reads it without a word.
    assert not torch.equal(
        torch.load(path, weights_only=True)["module"]["weight"], PROGRESS["module"]["weight"]
    )
    with pytest.raises(UserError, match=r"resume\.pth: damaged; delete it and the run begins anew"):
        folder.progress()
