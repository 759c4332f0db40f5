"""Transfer: against scikit-learn used plainly, and against vectors computed by hand."""

import csv

import numpy as np
import pytest
import timm
import torch
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import LinearSVC

from wsol.cli.main import main
from wsol.data.manifest.manifest import Manifest
from wsol.errors import UserError
from wsol.methods.build import build_method
from wsol.models.cost import cost
from wsol.models.factory import build_localizer
from wsol.pipeline.model import Model
from wsol.pipeline.train import train
from wsol.pipeline.transfer.linear_svm import GRID, fit
from wsol.pipeline.transfer.transfer import COLUMNS, transfer
from wsol.pipeline.transfer.vectors import Vectors, vectors
from wsol.recipe import BackboneSettings, DataSettings, HeadSettings, MethodSettings, Recipe


def clouds(count=60, classes=3, seed=0, apart=0.6):
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    values = rng.normal(size=(count, 6)) * np.array([1, 5, 1, 0.1, 1, 20])
    values[:, :classes] += apart * np.eye(classes)[labels] * 5
    return Vectors(values.astype(np.float32), labels)


def test_the_svm_is_scikit_learns_by_hand():
    train_set, test_set = clouds(), clouds(seed=1)
    found = fit(train_set)

    def fitted(values, labels, c):
        mean, deviation = values.mean(0), values.std(0)
        svm = LinearSVC(C=c, random_state=0, dual="auto", max_iter=10_000)
        svm.fit((values - mean) / deviation, labels)
        return lambda new: svm.predict((new - mean) / deviation)

    folds = list(
        StratifiedKFold(5, shuffle=True, random_state=0).split(train_set.values, train_set.labels)
    )
    accuracy = []
    for c in GRID:
        shares = []
        for inside, outside in folds:
            predict = fitted(train_set.values[inside], train_set.labels[inside], c)
            shares.append((predict(train_set.values[outside]) == train_set.labels[outside]).mean())
        accuracy.append(np.mean(shares))
    best = int(np.argmax(accuracy))
    assert (found.c, found.folds) == (GRID[best], 5)
    assert found.cv_accuracy == pytest.approx(100 * accuracy[best])
    predict = fitted(train_set.values, train_set.labels, GRID[best])
    right = predict(test_set.values) == test_set.labels
    np.testing.assert_array_equal(found.right(test_set), right)
    assert 0.5 < right.mean() < 1


def test_small_classes_make_fewer_folds():
    few = Vectors(clouds(9).values, clouds(9).labels)
    assert fit(few).folds == 3


@pytest.mark.parametrize(
    ("labels", "words"),
    [([0] * 6, "show one class"), ([0, 0, 0, 0, 0, 4], "class 4 has one training image")],
)
def test_what_cannot_be_told_apart_is_refused(labels, words):
    with pytest.raises(UserError, match=words):
        fit(Vectors(clouds(6).values, np.array(labels)))


@pytest.fixture(params=["none", "ltpa"])
def run(request, tiny_recipe):
    return train(
        tiny_recipe.changed(
            training={"epochs": 1}, attention={"name": request.param}, head={"name": "cam"}
        )
    )


def test_vectors_are_what_the_classifier_gets(run, tiny_manifest):
    model = Model.open(run)
    split = Manifest.read(tiny_manifest).split("test")
    attended, pooled = (vectors(model, split, kind, "") for kind in ("attended", "pooled"))
    assert attended.labels.tolist() == split.labels.tolist()
    from wsol.data.loading.loader import eval_loader

    logits, features = [], []
    with torch.inference_mode():
        for batch in eval_loader(split, model.recipe):
            output = model.localizer(batch.images)
            logits.append(output.logits[: batch.real])
            features.append(output.features[: batch.real].mean((2, 3)))
    np.testing.assert_allclose(pooled.values, torch.cat(features).numpy(), atol=1e-5)
    head = model.localizer.head
    if model.recipe.attention.name == "none":
        np.testing.assert_array_equal(attended.values, pooled.values)
        weight, bias = head.classifier.weight[:, :, 0, 0], head.classifier.bias
    else:
        assert attended.values.shape[1] > pooled.values.shape[1]  # two taps
        weight, bias = head.module.classifier.linear.weight, head.module.classifier.linear.bias
    # The classifier is linear: of these vectors it makes its logits.
    again = attended.values @ weight.detach().numpy().T + bias.detach().numpy()
    np.testing.assert_allclose(again, torch.cat(logits).numpy(), atol=1e-4)


IMAGES = torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(4))


def built(backbone, method="cam", head=None, **options):
    torch.manual_seed(0)
    recipe = Recipe(
        data=DataSettings(input_size=32, resize_size=32),
        backbone=backbone,
        head=HeadSettings(**(head or {})),
        method=MethodSettings(method, options),
    )
    return build_method(recipe, build_localizer(recipe, 3, ["a", "b", "c"])).trained().eval()


@torch.no_grad()
def test_what_dasnet_s_classifier_gets_has_its_gains():
    """And the policy counts as numbers that were learned: W is 8 x (8 + 3)."""
    network = BackboneSettings("small_resnet", options={"widths": [4, 8], "blocks": 1})
    localizer = built(network, "dasnet", passes=3)
    plain = cost(localizer, 32)["params"] - 8 * (8 + 3)
    assert plain == sum(parameter.numel() for parameter in localizer.parameters())
    localizer.policy_out.copy_(torch.eye(8))
    localizer.policy_in.normal_(std=3)
    output, read = localizer(IMAGES), localizer.attended_vectors(IMAGES)
    head = localizer.head.classifier
    torch.testing.assert_close(read @ head.weight[:, :, 0, 0].T + head.bias, output.logits)
    assert not torch.allclose(read, built(network).attended_vectors(IMAGES), atol=1e-3)


@torch.no_grad()
def test_a_class_token_is_what_its_classifier_gets():
    options = {"embed_dim": 24, "num_heads": 3, "depth": 2}
    network = BackboneSettings("vit_small_patch16_224", options=options)
    localizer = built(network, head={"name": "class_token"})
    read = localizer.attended_vectors(IMAGES)
    again = localizer.head.classifier(read)
    torch.testing.assert_close(again, localizer(IMAGES).logits)


@torch.no_grad()
def test_a_head_s_own_layers_are_before_its_classifier():
    network = BackboneSettings("small_resnet", options={"widths": [4, 8], "blocks": 1})
    localizer = built(network, head={"name": "cam_conv2", "width": 5})
    read = localizer.attended_vectors(IMAGES)
    classifier = localizer.head.classifier
    assert read.shape == (3, 5)
    logits = read @ classifier.weight[:, :, 0, 0].T + classifier.bias
    torch.testing.assert_close(logits, localizer(IMAGES).logits)


def test_the_table_is_of_all_runs(tiny_recipe, tiny_manifest, tmp_path, capsys):
    runs = [
        str(train(tiny_recipe.changed(training={"epochs": 1}, attention={"name": name})))
        for name in ("none", "ltpa")
    ]
    words = ["transfer", *runs, "--manifest", str(tiny_manifest), "--output", str(tmp_path / "out")]
    assert main(words) == 0
    with (tmp_path / "out" / "transfer.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == list(COLUMNS)
    assert [row["run"] for row in rows] == ["small_resnet-cam-seed0", "small_resnet-ltpa-cam-seed0"]
    model = Model.open(runs[0])
    manifest = Manifest.read(tiny_manifest)
    svm = fit(vectors(model, manifest.split("train"), "attended", ""))
    right = svm.right(vectors(model, manifest.split("test"), "attended", ""))
    assert float(rows[0]["accuracy"]) == pytest.approx(100 * right.mean(), abs=1e-3)
    assert float(rows[0]["accuracy_low"]) < float(rows[0]["accuracy"]) < float(rows[0]["accuracy_high"])
    assert rows[0]["train_images"] == "24" and rows[0]["test_images"] == "11"
    assert "note: 11 images are few" in capsys.readouterr().err
    assert main([*words, "--features", "polled"]) == 2
    assert "did you mean 'pooled'" in capsys.readouterr().err
    assert main([*words, "--split", "train"]) == 2
    assert "the SVM is fitted to these images" in capsys.readouterr().err


def test_a_manifest_without_train_images_is_refused(tiny_recipe, squares_manifest):
    run = train(tiny_recipe.changed(training={"epochs": 1}))
    with pytest.raises(UserError, match="has no split 'train'"):
        transfer([run], squares_manifest)


def test_a_pretrained_network_takes_its_weights_from_a_file(tiny_manifest, tmp_path, capsys):
    """What `wsol robustness` takes too: the advice of every command is an option of its own."""
    torch.manual_seed(0)
    file = tmp_path / "weights.pth"
    torch.save(timm.create_model("test_resnet").state_dict(), file)
    words = ["transfer", "timm:test_resnet", "--manifest", str(tiny_manifest)]
    words += ["--output", str(tmp_path / "out"), "--weights", str(file)]
    assert main(words) == 0
    assert (tmp_path / "out" / "transfer.csv").exists()
    capsys.readouterr()
    for others, said in (
        (["torchvision:resnet18"], "here is timm:test_resnet, torchvision:resnet18"),
        ([], "only run folders"),
    ):
        first = ["transfer", "timm:test_resnet"] if others else ["transfer", str(tmp_path)]
        assert main([*first, *others, *words[2:]]) == 2
        assert said in capsys.readouterr().err
