"""Pretrained classifiers as localizers: the library's own logits, its preprocessing, its class names."""

import pytest
import timm
import torch
import torchvision
from safetensors.torch import save_file

from wsol.errors import UserError
from wsol.models.factory import build_localizer
from wsol.models.weights.class_keys import class_keys_of, class_names
from wsol.models.weights.pretrained import is_pretrained, pretrained_recipe


def images(side: int = 224) -> torch.Tensor:
    return torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(0))


def saved(network: torch.nn.Module, path) -> str:
    save_file({name: value.contiguous() for name, value in network.state_dict().items()}, path)
    return str(path)


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("torchvision:squeezenet1_1", "native"),
        ("torchvision:resnet18", "native"),
        ("torchvision:mobilenet_v3_small", "classifier"),
        ("timm:mobilenetv3_small_050", "classifier"),
        ("timm:resnet18", "native"),
    ],
)
def test_logits_are_those_of_the_librarys_own_network(tmp_path, name, head):
    library, _, bare = name.partition(":")
    torch.manual_seed(1)
    if library == "timm":
        network = timm.create_model(bare, pretrained=False)
    else:
        network = torchvision.models.get_model(bare, weights=None)
    network.eval()
    recipe = pretrained_recipe(name, saved(network, tmp_path / "weights.safetensors"))
    assert recipe.head.name == head and recipe.training.epochs == 0
    localizer = build_localizer(recipe, 1000).eval()
    with torch.no_grad():
        found = localizer(images())
        torch.testing.assert_close(found.logits, network(images()), rtol=1e-4, atol=1e-4)
    assert len(localizer.class_keys) == 1000 and not localizer.as_drawn
    assert (found.class_maps is None) == (head == "classifier")
    # Every parameter is counted once, though the classifier keeps a way to the network's own code.
    assert sum(p.numel() for p in localizer.parameters()) == sum(p.numel() for p in network.parameters())


def test_preprocessing_is_what_the_library_says(tmp_path):
    card = timm.models.get_pretrained_cfg("tf_efficientnet_b1")
    network = timm.create_model("tf_efficientnet_b1", pretrained=False)
    recipe = pretrained_recipe("timm:tf_efficientnet_b1", saved(network, tmp_path / "w.safetensors"))
    assert recipe.data.input_size == card.input_size[-1] == 240
    assert recipe.weights.mean == tuple(card.mean) and recipe.weights.std == tuple(card.std)
    assert recipe.backbone.name == f"timm:tf_efficientnet_b1.{card.tag}"
    transforms = torchvision.models.get_model_weights("squeezenet1_1")["IMAGENET1K_V1"].transforms()
    torch_recipe = pretrained_recipe("torchvision:squeezenet1_1")
    assert torch_recipe.weights.mean == tuple(transforms.mean)
    assert torch_recipe.data.input_size == transforms.crop_size[0]


def test_which_weights_are_part_of_the_identity(tmp_path):
    torch.manual_seed(0)
    one = saved(torchvision.models.squeezenet1_1(weights=None), tmp_path / "a.safetensors")
    two = saved(torchvision.models.squeezenet1_1(weights=None), tmp_path / "b.safetensors")
    recipes = [pretrained_recipe("torchvision:squeezenet1_1", file) for file in (one, two)]
    assert len({recipe.weights.sha256 for recipe in recipes}) == 2
    assert recipes[0].what() != recipes[1].what()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("timm:resnet5", "timm has no network 'resnet5': did you mean 'resnet50"),
        ("torchvision:vgg17", "torchvision has no network 'vgg17': did you mean 'vgg"),
        ("torchvision:raft_large", "torchvision has no network 'raft_large'"),
        ("timm:mobilenetv2_035", "timm has no pretrained weights of mobilenetv2_035: name a file"),
    ],
)
def test_mistakes_are_one_line(name, message):
    with pytest.raises(UserError, match=message) as error:
        pretrained_recipe(name)
    assert "\n" not in str(error.value)


def test_weights_of_another_network_are_refused(tmp_path):
    other = saved(torchvision.models.resnet18(weights=None), tmp_path / "resnet.safetensors")
    recipe = pretrained_recipe("torchvision:squeezenet1_1", other)
    with pytest.raises(UserError, match="not weights of torchvision:squeezenet1_1"):
        build_localizer(recipe, 1000)


def test_weights_without_a_classifier_are_told_apart_from_those_of_another_network(tmp_path):
    network = timm.create_model("test_resnet", num_classes=0)
    file = tmp_path / "features.pth"
    torch.save(network.state_dict(), file)
    recipe = pretrained_recipe("timm:test_resnet", file)
    with pytest.raises(UserError, match=r"2 missing \(fc.bias, fc.weight\); the file has no classifier"):
        build_localizer(recipe, 1000)


@pytest.mark.parametrize("name", ["vit_tiny_patch16_224", "pit_ti_224", "swin_tiny_patch4_window7_224"])
def test_a_token_network_classifies_as_the_library_does(name):
    """Whether it reads the class token or the average of the patches."""
    recipe = pretrained_recipe(f"timm:{name}")
    assert recipe.head.name == "classifier"
    torch.manual_seed(0)
    network = timm.create_model(name).eval()
    torch.manual_seed(0)
    built = build_localizer(recipe, 1000, load_weights=False).eval()
    images = torch.randn(1, 3, 224, 224)
    with torch.no_grad():
        torch.testing.assert_close(built(images).logits, network(images))


def test_names_of_classes():
    assert class_names(["n01440764", "n02123045", "n03888257"]) == ["tench", "tabby", "parachute"]
    assert class_names(["001.Black_footed_Albatross"]) == ["001.Black_footed_Albatross"]
    assert class_names([]) == []


def test_classes_of_other_sets_than_the_thousand():
    assert class_keys_of(1000)[0] == "n01440764"
    twelve = class_keys_of(11821)
    assert len(twelve) == 11821 and len(set(twelve)) == 11821 and twelve[0].startswith("n0")
    assert not class_names(twelve)[0].startswith("n0")
    assert class_keys_of(7) == ["0", "1", "2", "3", "4", "5", "6"]


def test_what_is_called_pretrained():
    assert is_pretrained("timm:resnet50") and is_pretrained("torchvision:vgg16")
    assert not is_pretrained("runs/cub-resnet50") and not is_pretrained("my_module:Net")
