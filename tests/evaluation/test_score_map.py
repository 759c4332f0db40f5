import numpy as np
import pytest

from wsol.errors import UserError
from wsol.evaluation.score_map import normalise, quantise, resize


def plain_cubic(score_map, size):
    """Bicubic resizing by its definition: a = -0.75, half-pixel centres, edges repeated."""

    def weights(n_in, n_out):
        matrix = np.zeros((n_out, n_in))
        for i in range(n_out):
            centre = (i + 0.5) * n_in / n_out - 0.5
            for tap in range(int(np.floor(centre)) - 1, int(np.floor(centre)) + 3):
                d = abs(centre - tap)
                near = 1.25 * d**3 - 2.25 * d**2 + 1
                far = -0.75 * d**3 + 3.75 * d**2 - 6 * d + 3
                matrix[i, min(max(tap, 0), n_in - 1)] += near if d <= 1 else far if d < 2 else 0
        return matrix

    return weights(score_map.shape[0], size[0]) @ score_map @ weights(score_map.shape[1], size[1]).T


@pytest.mark.parametrize("shape", [(14, 14), (7, 9), (1, 5), (28, 3), (1, 1)])
def test_resize_is_bicubic(shape):
    score_map = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    resized = resize(score_map, (60, 45))
    assert resized.dtype == np.float64
    # OpenCV sums in float64, but its weights are float32.
    plain = plain_cubic(score_map.astype(np.float64), (60, 45))
    np.testing.assert_allclose(resized, plain, atol=1e-5)


def test_values_by_hand():
    score_map = np.array([[-1.0, 0.0], [1.0, 3.0]])
    np.testing.assert_array_equal(normalise(score_map, (2, 2)), [[0, 0.25], [0.5, 1]])
    # 63.75 and 127.5 are truncated, not rounded.
    np.testing.assert_array_equal(quantise(score_map, (2, 2)), [[0, 63], [127, 255]])


def test_scale_and_sign_do_not_matter():
    score_map = np.random.default_rng(1).integers(-8, 8, (6, 6))
    expected = quantise(score_map.astype(np.float64), (6, 6))
    for dtype in (np.int8, np.int64, np.float16, np.float32):
        np.testing.assert_array_equal(quantise(score_map.astype(dtype), (6, 6)), expected)
    np.testing.assert_array_equal(quantise(score_map * 4 - 64, (6, 6)), expected)
    np.testing.assert_array_equal(quantise(score_map.T[::-1][::-1].T, (6, 6)), expected)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_blank_the_map(value):
    score_map = np.random.default_rng(2).random((14, 14))
    assert quantise(score_map).max() == 255
    score_map[3, 4] = value
    assert not quantise(score_map).any()
    assert not normalise(score_map).any()


def test_constant_maps_are_blank():
    # In float32 the resize would turn some constants into noise of full range.
    for value in (0.0, 0.1, -3.3, 1e30):
        score_map = np.full((14, 14), value, np.float32)
        assert not quantise(score_map).any()
        assert not normalise(score_map).any()


def test_a_range_too_wide_for_float64_is_blank():
    score_map = np.array([[-1.7e308, 1.7e308]])
    assert not quantise(score_map, (1, 2)).any()


def test_the_source_is_left_as_it_is():
    score_map = np.random.default_rng(3).random((224, 224))
    before = score_map.copy()
    score_map.setflags(write=False)
    quantise(score_map)
    np.testing.assert_array_equal(score_map, before)


@pytest.mark.parametrize(
    ("score_map", "words"),
    [
        (np.zeros((1, 14, 14)), r"shape \(1, 14, 14\)"),
        (np.zeros(14), r"shape \(14,\)"),
        (np.zeros((0, 14)), r"shape \(0, 14\)"),
        (np.zeros((2, 2), complex), "complex128"),
        (np.full((2, 2), "a"), "<U1"),
    ],
)
def test_what_is_no_map_is_named(score_map, words):
    with pytest.raises(UserError, match=words):
        quantise(score_map)


@pytest.mark.golden
@pytest.mark.parametrize("name", ["evaluator_boxes_cub.npz", "evaluator_boxes_ilsvrc.npz"])
def test_eight_bit_maps_equal_the_reference(golden_file, name):
    with np.load(golden_file(name)) as file:
        arrays = dict(file)
    expected = arrays["detail/scoremap_uint8"]
    for index, map_u8 in zip(arrays["detail/image_index"], expected, strict=True):
        start, stop = arrays["cam_offsets"][index : index + 2]
        score_map = arrays["cam_values"][start:stop].reshape(arrays["cam_shapes_hw"][index])
        np.testing.assert_array_equal(quantise(score_map, map_u8.shape), map_u8)
