"""A model in a program: maps and localizations of whatever holds an image, run or pretrained alike."""

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image
from safetensors.torch import save_file

import wsol
from wsol.cli.main import main
from wsol.data.loading.loader import eval_loader
from wsol.data.manifest.manifest import Manifest
from wsol.errors import UserError
from wsol.evaluation.score_map import normalise
from wsol.maps.reading import MapReader
from wsol.pipeline.train import train


@pytest.fixture(scope="module")
def squeezenet(tmp_path_factory):
    """SqueezeNet with drawn weights, and their file."""
    torch.manual_seed(0)
    network = torchvision.models.squeezenet1_1(weights=None).eval()
    path = tmp_path_factory.mktemp("weights") / "squeezenet.safetensors"
    save_file(network.state_dict(), path)
    return network, path


@pytest.fixture
def photo(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (60, 90, 3), np.uint8)
    pixels[20:40, 30:70] = (250, 20, 20)
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def test_a_run_localizes_what_the_command_localizes(tiny_recipe, tmp_path):
    run = train(tiny_recipe)
    model = wsol.load(run, device="cpu")
    split = Manifest.read(tiny_recipe.data.manifest).split("test")
    table = wsol.localize(split.paths, model, tmp_path / "found", threshold=0.5)
    rows = {line.split(",")[0]: line.split(",") for line in table.read_text().splitlines()[1:]}
    assert len(rows) == len(split)
    assert repr(model) == f"<Model {str(run)!r}: small_resnet, attention none, method cam, cpu>"
    for path in split.paths:
        found = model.localize(path, threshold=0.5)
        row = rows[path.rpartition("/")[2].removesuffix(".png")]
        assert row[1] == found.class_name
        assert repr(found).startswith(f"<Localization {found.class_name!r} 0.")
        assert repr(found).endswith("threshold=0.5, image of 32 x 32>")
        assert [float(value) for value in row[2:6]] == pytest.approx(found.box, abs=0.02)
        assert float(row[6]) == pytest.approx(found.probability, abs=2e-4)
        assert row[7] == "0.500"
        mask = np.asarray(Image.open(tmp_path / "found" / "masks" / f"{row[0]}.png")) > 0
        # Batches of another size round the map otherwise in its last bits.
        assert (mask != found.mask).mean() < 0.01


def test_maps_are_those_of_the_reader(tiny_recipe):
    model = wsol.load(train(tiny_recipe), device="cpu")
    split = Manifest.read(tiny_recipe.data.manifest).split("test")
    reader = MapReader(model.localizer, None)
    expected = list(reader.predictions(eval_loader(split, tiny_recipe), "cam"))
    found = model.maps(split.paths, "cam")
    for one, prediction in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, prediction.score_map, atol=1e-4)


def test_a_pretrained_classifier_by_hand(squeezenet, photo):
    network, path = squeezenet
    model = wsol.load("torchvision:squeezenet1_1", weights=path, device="cpu")
    found = model.localize(photo, threshold=0.4)
    picture = Image.open(photo).resize((224, 224), Image.Resampling.BILINEAR)
    pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1).float()[None] / 255
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    tensor = (pixels - mean.view(3, 1, 1)) / std.view(3, 1, 1)
    with torch.no_grad():
        logits = network(tensor)
        maps = network.classifier[:3](network.features(tensor))
    label = int(logits.argmax())
    assert found.probability == pytest.approx(float(logits.softmax(1)[0, label]), rel=1e-4)
    assert found.class_name == model.class_names[label]
    np.testing.assert_allclose(found.score_map, maps[0, label].numpy(), atol=1e-4)
    # The mask is the map at the size of the photograph, cut at the threshold.
    np.testing.assert_array_equal(found.mask, normalise(maps[0, label].numpy(), (60, 90)) >= 0.4)
    assert found.box is not None and (found.box[2:] <= [90, 60]).all() and found.threshold == 0.4


def test_one_image_in_all_its_forms(squeezenet, photo):
    model = wsol.load("torchvision:squeezenet1_1", weights=squeezenet[1], device="cpu")
    array = np.asarray(Image.open(photo))
    tensor = torch.from_numpy(array.copy()).permute(2, 0, 1)
    forms = [photo, str(photo), Image.open(photo), array, array / 255, tensor, tensor.float() / 255]
    expected = model.maps(photo)[0]
    for form in forms:
        np.testing.assert_allclose(model.maps(form)[0], expected, atol=1e-5)
    assert len(model.maps([array, tensor])) == 2
    assert len(model.maps(np.stack([array, array]))) == 2
    assert len(model.maps(torch.stack([tensor, tensor]))) == 2
    grey = model.maps(array[..., 0])[0]
    np.testing.assert_array_equal(grey, model.maps(np.repeat(array[..., :1], 3, axis=2))[0])


@pytest.mark.parametrize(
    ("image", "message"),
    [
        ("nowhere.jpg", "nowhere.jpg: no such image file"),
        (["a.jpg", "b.jpg"], "an image is a list: give a path"),
        (None, "an image is a NoneType"),
        (np.zeros((4, 4, 4)), r"an image has shape \(4, 4, 4\)"),
        (np.zeros((0, 4, 3)), r"an image has shape \(0, 4, 3\)"),
        (np.full((4, 4, 3), 200.0), "floats from 200 to 200: give values in"),
        (np.zeros((4, 4, 3), np.int64), "an image has dtype int64"),
        (torch.zeros(4, 4, 3), r"an image has shape \(4, 4, 3\)"),
    ],
)
def test_what_is_no_image_is_said(squeezenet, image, message):
    model = wsol.load("torchvision:squeezenet1_1", weights=squeezenet[1], device="cpu")
    with pytest.raises(UserError, match=message):
        model.localize(image)


def test_the_command_for_one_photograph(squeezenet, photo, tmp_path, capsys):
    command = ["localize", photo, "--model", "torchvision:squeezenet1_1", "--weights", squeezenet[1]]
    command += ["--output", tmp_path / "found", "--device", "cpu"]
    assert main([str(word) for word in command]) == 0
    out, err = capsys.readouterr()
    header, row = (tmp_path / "found" / "boxes.csv").read_text().splitlines()
    assert header == "image_id,class,x0,y0,x1,y1,probability,threshold" and row.startswith("photo,")
    assert "threshold 0.2, the CAM paper's" in err and "manifest" not in err + out
    assert (tmp_path / "found" / "masks" / "photo.png").is_file()
    assert (tmp_path / "found" / "overlays" / "photo.png").is_file()


def test_a_file_that_is_no_image_is_called_by_its_own_name(squeezenet, tmp_path, capsys):
    (tmp_path / "fake.jpg").write_text("no picture")
    command = ["localize", tmp_path / "fake.jpg", "--model", "torchvision:squeezenet1_1"]
    command += ["--weights", squeezenet[1], "--output", tmp_path / "found", "--device", "cpu"]
    assert main([str(word) for word in command]) == 2
    err = capsys.readouterr().err
    assert f"{tmp_path / 'fake.jpg'}: not an image" in err and "wsol-images" not in err
    assert main(["localize", str(tmp_path / "gone.jpg"), *map(str, command[2:])]) == 2
    assert "gone.jpg: no such folder or image file" in capsys.readouterr().err


def test_a_pretrained_classifier_is_scored_on_ones_own_images(squeezenet, photo, tmp_path, capsys):
    (tmp_path / "boxes.csv").write_text("image_id,x0,y0,x1,y1\nphoto.png,30,20,70,40\n")
    (tmp_path / "images").mkdir()
    photo.rename(tmp_path / "images" / "photo.png")
    command = ["evaluate", "--images", tmp_path / "images", "--annotations", tmp_path / "boxes.csv"]
    command += ["--model", "torchvision:squeezenet1_1", "--weights", squeezenet[1]]
    command += ["--output", tmp_path / "out", "--device", "cpu", "--workers", "0"]
    assert main([str(word) for word in command]) == 0
    rows = (tmp_path / "out" / "per_image.csv").read_text().splitlines()
    model = wsol.load("torchvision:squeezenet1_1", weights=squeezenet[1], device="cpu")
    record = wsol.RunRecord.read(tmp_path / "out" / "metrics.json")
    threshold = record.threshold["values"]["gt_known_loc@0.5"]
    box = model.localize(tmp_path / "images" / "photo.png", threshold).box
    assert [float(cell) for cell in rows[1].split(",")[2:6]] == pytest.approx(box, abs=0.01)
    assert float(rows[1].split(",")[6]) == pytest.approx(wsol.iou(box, [30, 20, 70, 40]), abs=1e-3)
    assert record.maps == "cam@predicted"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["localize", "x.jpg"], "name one model: --run RUN, or --model"),
        (["localize", "x.jpg", "--run", "r", "--model", "timm:resnet18"], "name one model"),
        (["localize", "x.jpg", "--run", "r", "--weights", "w"], "--weights goes with --model"),
        (["localize", "x.jpg", "--model", "resnet50"], "write timm:NAME or torchvision:NAME"),
        (["localize", "x.jpg", "--model", "timm:resnet51"], "did you mean 'resnet"),
        (["evaluate", "--model", "timm:resnet18"], "--model needs --manifest DIR"),
    ],
)
def test_mistakes_on_the_command_line(words, message, capsys):
    assert main(words) == 2
    err = capsys.readouterr().err
    assert message in err and err.count("\n") == 1


@pytest.mark.parametrize("source", [None, 3])
def test_what_can_be_loaded_is_said(source):
    with pytest.raises(UserError, match="give a run folder, timm:NAME or torchvision:NAME"):
        wsol.load(source)


def test_a_pretrained_classifier_has_no_data_set_of_its_own(squeezenet):
    model = wsol.load("torchvision:squeezenet1_1", weights=squeezenet[1], device="cpu")
    with pytest.raises(UserError, match="has no data set of its own; name one with --manifest"):
        wsol.evaluate(model)
