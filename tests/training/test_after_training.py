"""What a method fits once training has ended: once, saved, wherever the run was interrupted."""

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from wsol.errors import UserError
from wsol.methods.build import trained_localizer
from wsol.methods.snes import SNES
from wsol.models.factory import build_localizer
from wsol.training import loop, training_state
from wsol.training.run_folder import RunFolder
from wsol.training.training_state import TrainingState


def toy_class_means():
    import toy_methods

    toy_methods.ClassMeans.calls = 0
    return toy_methods.ClassMeans


def test_after_training_is_called_once_and_its_fit_is_what_is_saved(
    run, start, recipe_of, tiny_split, tmp_path
):
    toy = toy_class_means()
    recipe = recipe_of("toy_methods:ClassMeans")
    folder, _ = run(recipe, tiny_split, tmp_path / "run")
    plain, _ = run(recipe_of(), tiny_split, tmp_path / "plain")
    assert toy.calls == 1
    found, trained = load_file(folder / "last.safetensors"), load_file(plain / "last.safetensors")
    differing = [key for key in trained if not torch.equal(found[key], trained[key])]
    assert differing == ["head.classifier.weight"]
    # By hand: images one by one, squashed to the input size, no crop and no flip.
    localizer = start(recipe, tiny_split)
    localizer.load_state_dict(trained)
    localizer.eval()
    images = np.stack([squashed(tiny_split, index) for index in range(len(tiny_split))])
    with torch.no_grad():
        features = localizer(torch.from_numpy(images)).features.mean(dim=(2, 3)).numpy()
    for label in range(10):
        mean = features[tiny_split.labels == label].mean(axis=0)
        np.testing.assert_allclose(found["head.classifier.weight"][label, :, 0, 0], mean, rtol=1e-4)


def squashed(split, index):
    """The clutter image (3, 32, 32), normalised; its files are of the input size already."""
    with Image.open(split.manifest.root / split.paths[index]) as file:
        pixels = np.asarray(file.convert("RGB"), np.float32) / 255
    assert pixels.shape == (32, 32, 3)
    mean, std = np.float32([0.485, 0.456, 0.406]), np.float32([0.229, 0.224, 0.225])
    return ((pixels - mean) / std).transpose(2, 0, 1)


@pytest.mark.parametrize(
    ("where", "calls"),
    [
        # All epochs are done, after_training is not.
        ("last epoch", 1),
        # It has run and is saved in resume.pth, but the weights are not written yet.
        ("progress saved", 1),
        # All is written but the mark of a finished run.
        ("weights saved", 1),
    ],
)
def test_after_training_runs_once_wherever_the_run_is_interrupted(
    run, interrupt_after, where, calls, recipe_of, tiny_split, tmp_path, monkeypatch
):
    toy = toy_class_means()
    recipe = recipe_of("toy_methods:ClassMeans", selection="val_cls")
    whole, _ = run(recipe, tiny_split, tmp_path / "whole")
    toy.calls = 0
    cut = tmp_path / "cut"
    with monkeypatch.context() as patch:
        if where == "last epoch":
            patch.setattr(TrainingState, "finish_training", raises_interrupt)
        elif where == "progress saved":
            real = RunFolder.save_weights

            def not_after_the_fit(self, module, selection):
                if toy.calls:
                    raise KeyboardInterrupt
                real(self, module, selection)

            patch.setattr(RunFolder, "save_weights", not_after_the_fit)
        else:
            interrupt_after(patch, "finish_training")
        with pytest.raises(KeyboardInterrupt):
            run(recipe, tiny_split, cut)
    run(recipe, tiny_split, cut)
    assert toy.calls == calls
    for name in ("last.safetensors", "best_val_cls.safetensors"):
        assert (cut / name).read_bytes() == (whole / name).read_bytes()


def raises_interrupt(*arguments):
    raise KeyboardInterrupt


@pytest.mark.parametrize("search", ["snes", "random"])
def test_a_search_that_is_interrupted_goes_on_where_it_was(
    run, recipe_of, tiny_split, tmp_path, monkeypatch, search
):
    """Six generations, stopped after the fourth: two are left, and the result is the same."""
    recipe = recipe_of("dasnet", {"generations": 6, "passes": 2, "search": search}, epochs=1)
    asked = []
    ask = SNES.ask
    monkeypatch.setattr(SNES, "ask", lambda self: asked.append(1) or ask(self))
    monkeypatch.setattr(training_state, "SECONDS_BETWEEN", 0.0)
    whole, _ = run(recipe, tiny_split, tmp_path / "whole")
    assert len(asked) == 6
    kept = TrainingState._save_progress

    def stopped_in_the_fourth(self):
        kept(self)
        if self.method.get_extra_state().get("done") == 4:
            raise KeyboardInterrupt

    cut = tmp_path / "cut"
    with monkeypatch.context() as patch:
        patch.setattr(TrainingState, "_save_progress", stopped_in_the_fourth)
        with pytest.raises(KeyboardInterrupt):
            run(recipe, tiny_split, cut)
    asked.clear()
    run(recipe, tiny_split, cut)
    assert len(asked) == 2
    assert (cut / "last.safetensors").read_bytes() == (whole / "last.safetensors").read_bytes()


def test_state_is_kept_only_now_and_then(run, recipe_of, tiny_split, tmp_path, monkeypatch):
    """Once after the epoch and once when all is fitted, not after each of forty generations."""
    kept = []
    save = TrainingState._save_progress
    monkeypatch.setattr(TrainingState, "_save_progress", lambda self: kept.append(1) or save(self))
    monkeypatch.setattr(training_state, "SECONDS_BETWEEN", 1e6)
    run(recipe_of("dasnet", {"generations": 40, "passes": 2}, epochs=1), tiny_split, tmp_path / "run")
    assert len(kept) == 2


def test_a_localizer_with_a_buffer_of_the_methods_own_opens_again(run, recipe_of, tiny_split, tmp_path):
    recipe = recipe_of("toy_methods:WithBuffer", epochs=1, images_per_class=1)
    folder, _ = run(recipe, tiny_split, tmp_path)
    opened = trained_localizer(recipe, tiny_split.class_keys)
    RunFolder(folder).load_weights(opened, "last")
    # One image of each of ten classes.
    assert float(opened.get_buffer("share")) == pytest.approx(0.1)


def test_without_epochs_nothing_can_be_fitted(run, recipe_of, tiny_split, tmp_path, monkeypatch):
    recipe = recipe_of("toy_methods:ClassMeans", epochs=0)

    def as_if_weights_filled_it(*arguments, **options):
        localizer = build_localizer(*arguments, **options)
        localizer.as_drawn = []
        return localizer

    monkeypatch.setattr(loop, "build_localizer", as_if_weights_filled_it)
    with pytest.raises(UserError, match=r"training\.epochs is 0, but method .*ClassMeans fits"):
        run(recipe, tiny_split, tmp_path / "run")
    assert not (tmp_path / "run").exists()
