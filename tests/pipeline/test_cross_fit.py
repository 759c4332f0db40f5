"""Cross-fitting: each test image is scored by the one network that was not trained on it."""

from __future__ import annotations

import pytest

from wsol.data.loading.loader import eval_loader
from wsol.data.manifest.manifest import Manifest
from wsol.data.splits.folds import folds
from wsol.errors import UserError
from wsol.evaluation.evaluator import collect, score
from wsol.maps.reading import MapReader
from wsol.models.factory import build_localizer
from wsol.pipeline.evaluate_run import evaluate_run
from wsol.pipeline.model import Model
from wsol.pipeline.own_images.localize import localize
from wsol.pipeline.train import train
from wsol.scores.protocol import protocol_named
from wsol.training import loop
from wsol.training.run_folder import RunFolder


def test_the_run_scores_as_its_networks_do_on_what_they_did_not_see(cross_fit):
    run = train(cross_fit)
    scored = evaluate_run(Model.open(run, cross_fit.how), cross_fit.evaluation)["cam"]
    manifest = Manifest.read(cross_fit.data.manifest)
    by_hand = []
    for number, fold in enumerate(folds(manifest, 3)):
        keys = manifest.class_keys
        localizer = build_localizer(cross_fit, len(keys), keys)
        RunFolder(run / f"fold{number}").load_weights(localizer, "last")
        by_hand += MapReader(localizer, keys).predictions(eval_loader(fold.held_out, cross_fit), "cam")
    assert sorted(p.image_id for p in by_hand) == sorted(manifest.split("test").image_ids)
    protocol = protocol_named("rubinstein2013", 0.01)
    per_image = collect(by_hand, manifest.split("test").annotations(), protocol)
    again = score(per_image, protocol, classes=manifest.class_keys)
    assert again.metrics == scored.metrics
    assert scored.metrics["rubinstein_j"]["value"] is not None


def test_an_interrupted_cross_fit_goes_on_in_its_fold(cross_fit, monkeypatch):
    trained = []
    real = loop.TrainingState.run_epoch

    def counted(self, epoch):
        trained.append(self.folder.path.name)
        if len(trained) == 2:
            raise KeyboardInterrupt
        return real(self, epoch)

    monkeypatch.setattr(loop.TrainingState, "run_epoch", counted)
    with pytest.raises(KeyboardInterrupt):
        train(cross_fit)
    run = train(cross_fit)
    assert trained == ["fold0", "fold1", "fold1", "fold2"]
    assert RunFolder(run).finished
    assert not list(run.rglob("resume.pth"))
    assert RunFolder(run).recipe().what() == cross_fit.what()


def test_it_scores_no_other_images(cross_fit, squares_manifest, tiny_manifest, tmp_path):
    run = train(cross_fit)
    images = Manifest.read(squares_manifest).root / "Data" / "Car100"
    for call in (
        lambda: evaluate_run(run, manifest=tiny_manifest),
        lambda: localize(images, run, tmp_path / "out"),
    ):
        with pytest.raises(UserError, match=r"cross-fitted .* only scores the test images"):
            call()
    with pytest.raises(UserError, match="each of its networks may only see the images of one fold"):
        Model.open(run).localize(next(images.glob("*.jpg")))
    assert not (tmp_path / "out").exists()


def test_folds_need_epochs(cross_fit):
    with pytest.raises(UserError, match=r"training\.folds trains a network a fold"):
        train(cross_fit.changed(training={"epochs": 0}))
