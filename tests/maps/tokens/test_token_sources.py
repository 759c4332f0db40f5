"""Maps of token networks through the reader: against slow plain versions."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from wsol.maps.model_sources import passes


@pytest.fixture(scope="module")
def localizer(built):
    return built()


class Plain:
    """A ViT's forward pass written out in NumPy: weights (blocks, N, heads, T, T), keys, tokens."""

    def __init__(self, localizer, images):
        trunk = localizer.backbone.stages["stage4"].trunk
        state = {name: tensor.detach().double().numpy() for name, tensor in trunk.state_dict().items()}
        kernel = state["patch_embed.proj.weight"].reshape(48, -1)
        patches = np.stack(
            [
                image[:, 16 * row : 16 * row + 16, 16 * column : 16 * column + 16].reshape(-1)
                for image in images.double().numpy()
                for row in range(4)
                for column in range(4)
            ]
        ).reshape(len(images), 16, -1)
        tokens = patches @ kernel.T + state["patch_embed.proj.bias"]
        first = np.broadcast_to(state["cls_token"], (len(images), 1, 48))
        tokens = np.concatenate([first, tokens], axis=1) + state["pos_embed"]
        self.weights, self.keys, self.tokens = [], [], []
        for block in range(2):
            own = {n.removeprefix(f"blocks.{block}."): t for n, t in state.items()}
            tokens = self.block(tokens, own)
        self.last = self.normed(tokens, state, "norm")

    @staticmethod
    def normed(x, state, name):
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-6)
        return scaled * state[f"{name}.weight"] + state[f"{name}.bias"]

    def block(self, tokens, own):
        from scipy.special import erf

        def linear(x, name):
            return x @ own[f"{name}.weight"].T + own[f"{name}.bias"]

        qkv = linear(self.normed(tokens, own, "norm1"), "attn.qkv")
        images, count, _ = tokens.shape
        weights, mixed = np.zeros((images, 3, count, count)), np.zeros((images, count, 48))
        for image, head in np.ndindex(images, 3):
            query, key, value = (
                qkv[image, :, 48 * part + 16 * head : 48 * part + 16 * head + 16] for part in range(3)
            )
            scores = np.exp(query @ key.T / 4)
            weights[image, head] = scores / scores.sum(1, keepdims=True)
            mixed[image, :, 16 * head : 16 * head + 16] = weights[image, head] @ value
        self.weights.append(weights)
        self.keys.append(qkv[:, :, 48:96])
        tokens = tokens + linear(mixed, "attn.proj")
        hidden = linear(self.normed(tokens, own, "norm2"), "mlp.fc1")
        tokens = tokens + linear(hidden * (1 + erf(hidden / np.sqrt(2))) / 2, "mlp.fc2")
        self.tokens.append(tokens)
        return tokens


@pytest.fixture(scope="module")
def plain(localizer, batch):
    return Plain(localizer, batch.images)


@pytest.mark.parametrize(("source", "block"), [("class_token", 1), ("class_token:0", 0)])
def test_class_token_attention_against_plain_numpy(maps, localizer, batch, plain, source, block):
    wanted = plain.weights[block][:, :, 0, 1:].mean(1).reshape(3, 4, 4)
    np.testing.assert_allclose(maps(localizer, batch, source), wanted, atol=1e-5)
    assert np.ptp(wanted) > 0.01


def flow(plain, image):
    total = np.eye(17)
    for weights in plain.weights:
        mean = sum(weights[image]) / 3
        total = (mean + np.eye(17)) / 2 @ total  # rows of attention sum to 1
    return total


def test_rollout_is_of_the_tokens_that_the_head_reads(built, maps, localizer, batch, plain):
    found = maps(localizer, batch, "rollout")
    wanted = [flow(plain, image)[0, 1:].reshape(4, 4) for image in range(3)]
    np.testing.assert_allclose(found, wanted, atol=1e-5)
    averaging = built(head="cam")
    plain = Plain(averaging, batch.images)
    wanted = [flow(plain, image)[1:, 1:].mean(0).reshape(4, 4) for image in range(3)]
    np.testing.assert_allclose(maps(averaging, batch, "rollout"), wanted, atol=1e-5)


@pytest.mark.parametrize("head", ["class_token", "cam"])
def test_legrad_by_finite_differences_of_the_blocks_own_score(built, maps, batch_of, batch, head):
    localizer = built(head=head).double()
    images = batch_of(batch.images[:1].double(), [2])
    found = maps(localizer, images, "legrad:1")[0].reshape(-1)
    block = localizer.backbone.tokens.blocks[1]
    weight = localizer.head.classifier.weight.flatten(1)[2]
    norm = localizer.backbone.stages["stage4"].trunk.norm
    moved = {}

    def score(place=None):
        """The score of class 2 after the last block, one of its weights moved."""
        moved["at"] = place
        with torch.no_grad():
            localizer(images.images)
            return float(norm(moved["tokens"].mean(1))[0] @ weight)

    def move(module, given, output):
        if moved["at"] is None:
            return output
        output = output.clone()
        output[(0, *moved["at"][0])] += moved["at"][1]
        return output

    hooks = [
        block.attn.attn_drop.register_forward_hook(move),
        block.register_forward_hook(lambda m, i, output: moved.update(tokens=output)),
    ]
    block.attn.fused_attn = False
    wanted = np.zeros(17)
    # Two keys are enough, every head and query of them: 102 gradients, each by two passes.
    for place in [(h, q, k) for h in range(3) for q in range(17) for k in (3, 11)]:
        slope = (score((place, 1e-5)) - score((place, -1e-5))) / 2e-5
        wanted[place[2]] += max(0, slope) / 51
    for hook in hooks:
        hook.remove()
    np.testing.assert_allclose(found[[2, 10]], wanted[[3, 11]], rtol=1e-4)
    assert found.max() > 1e-4


def test_legrad_is_of_the_class_that_is_asked_for(maps, batch_of, localizer, batch):
    by_true = maps(localizer, batch, "legrad")
    with torch.no_grad():
        predicted = localizer(batch.images).logits.argmax(1)
    of_predicted = maps(localizer, batch, "legrad@predicted")
    same = (predicted == batch.labels).numpy()
    assert not same.all()
    for image in range(3):
        assert np.allclose(by_true[image], of_predicted[image], atol=1e-8) == same[image]
    asked = batch_of(batch.images, predicted.tolist())
    np.testing.assert_allclose(maps(localizer, asked, "legrad"), of_predicted, atol=1e-8)
    # The last block's gradient is linear in the class: that of two classes' mean score.
    grouped = maps(localizer, batch_of(batch.images, [0, 0, 0]), "legrad", ["x"], {"x": ["a", "b"]})
    assert grouped.shape == (3, 4, 4) and not np.allclose(grouped, by_true)


@pytest.mark.parametrize("source", ["cut", "cut:keys"])
def test_cuts_of_features_and_keys_against_the_generalised_problem(
    maps, localizer, batch, plain, source
):
    from scipy.linalg import eigh

    found = maps(localizer, batch, source)
    component = maps(localizer, batch, f"{source}:component".replace("keys:", "keys."))
    rows = plain.last[:, 1:] if source == "cut" else plain.keys[1][:, 1:]
    for image in range(3):
        weights = np.zeros((16, 16))
        for one, two in np.ndindex(16, 16):
            u, v = rows[image, one], rows[image, two]
            weights[one, two] = 1 if u @ v / np.sqrt(u @ u * (v @ v)) > 0.2 else 1e-5
        degrees = np.diag(weights.sum(1))
        vector = eigh(degrees - weights, degrees)[1][:, 1]
        above = vector > vector.mean()
        seed = np.abs(vector).argmax()
        if not above[seed]:
            vector, above = -vector, ~above
        np.testing.assert_allclose(found[image].reshape(-1), vector, atol=1e-5)
        reached = {seed}
        for _ in range(16):  # neighbours on the grid of 4 x 4 that are above the mean, again and again
            reached |= {
                other
                for other in range(16)
                for one in reached
                if above[other] and abs(one // 4 - other // 4) + abs(one % 4 - other % 4) == 1
            }
        assert set(np.flatnonzero(component[image])) == reached
        assert set(np.unique(component[image])) <= {0, 1}


def test_maps_do_not_depend_on_the_batch_and_nothing_is_left_behind(
    maps, batch_of, localizer, batch, source
):
    layers = [block.attn for block in localizer.backbone.tokens.blocks]
    fused = [layer.fused_attn for layer in layers]
    hooks = [module._forward_hooks for module in localizer.modules()]
    found = maps(localizer, batch, source)
    alone = maps(localizer, batch_of(batch.images[1:2], [2]), source)
    assert found.shape == (3, 4, 4) and np.isfinite(found).all()
    np.testing.assert_allclose(found[1:2], alone, rtol=1e-4, atol=1e-6)
    assert [layer.fused_attn for layer in layers] == fused and not any(hooks)
    assert all(parameter.grad is None for parameter in localizer.parameters())


def test_sources_that_switch_the_network_read_alone():
    assert passes(["cam", "cut", "cut:keys", "class_token", "rollout", "legrad"]) == [
        ["cam", "cut", "cut:keys"],
        ["class_token"],
        ["rollout"],
        ["legrad"],
    ]
