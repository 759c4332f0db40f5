"""Arrays come back from their file as they went in."""

from __future__ import annotations

import io

import numpy as np
import pytest

from wsol.files.array_file import (
    deterministic_npz,
    differences,
    from_differences,
    from_planes,
    to_planes,
)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32])
def test_planes_and_differences_come_back(dtype):
    values = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, (5, 7), dtype, endpoint=True)
    np.testing.assert_array_equal(from_planes(to_planes(values), dtype), values)
    np.testing.assert_array_equal(from_differences(differences(values)), values)


def test_bytes_that_are_zero_everywhere_are_left_out():
    values = np.array([[0, 300], [2, 3]], np.uint32)
    planes = to_planes(values)
    assert planes.tolist() == [[[0, 44], [2, 3]], [[0, 1], [0, 0]]]
    np.testing.assert_array_equal(from_planes(planes, np.uint32), values)
    assert to_planes(np.zeros((2, 2), np.uint32)).shape == (1, 2, 2)


def test_numpy_reads_the_file_and_its_bytes_do_not_depend_on_the_order():
    arrays = {"b": np.arange(6).reshape(2, 3), "a": np.array(["ü", "text"])}
    content = deterministic_npz(arrays)
    assert content == deterministic_npz(dict(reversed(arrays.items())))
    with np.load(io.BytesIO(content)) as file:
        assert file.files == ["a", "b"]
        np.testing.assert_array_equal(file["b"], arrays["b"])
        np.testing.assert_array_equal(file["a"], arrays["a"])
