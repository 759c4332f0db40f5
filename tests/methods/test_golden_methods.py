"""HaS and CutMix against wsolevaluation's own outputs, its random draws given."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from wsol.methods.cutmix import mixed, rectangle
from wsol.methods.has import with_hidden

pytestmark = pytest.mark.golden


@pytest.fixture
def cases_of(golden_file):
    """Gives the cases of a method: their arrays by name."""

    def read(method: str) -> dict[str, dict[str, np.ndarray]]:
        found: dict[str, dict[str, np.ndarray]] = {}
        with np.load(golden_file("wsol_methods.npz")) as file:
            for key in file.files:
                own, case, rest = key.split("/", 2)
                if own == method:
                    found.setdefault(case, {})[rest] = file[key]
        assert found
        return found

    return read


def test_has_hides_the_same_cells(cases_of):
    for case in cases_of("has").values():
        config = json.loads(str(case["config"]))
        hidden = torch.from_numpy(case["uniform_draws"] <= config["drop_rate"])
        np.testing.assert_array_equal(hidden, case["hidden_cells"])
        images = torch.from_numpy(case["input"])
        found = with_hidden(images, hidden, config["grid_size"])
        np.testing.assert_array_equal(found, case["output"])
        everywhere = with_hidden(torch.ones_like(images), hidden, config["grid_size"])
        np.testing.assert_array_equal(everywhere[:, 0] > 0, case["kept_pixels"])


def test_cutmix_mixes_the_same_rectangle(cases_of):
    cases = cases_of("cutmix")
    for name in ("square", "tall"):
        case = cases[name]
        images = torch.from_numpy(case["input"])
        height, width = images.shape[2:]
        centre = tuple(case["centre_axis2_axis3"].tolist())
        cut = rectangle(height, width, float(case["beta_draw"]), centre)
        assert list(cut) == case["box_axis2lo_axis3lo_axis2hi_axis3hi"].tolist()
        assert 1 - cut.area / (height * width) == float(case["adjusted_lambda"])
        found = mixed(images, torch.from_numpy(case["permutation"]), cut)
        np.testing.assert_array_equal(found, case["output"])


def test_cutmix_has_the_reference_rectangles_at_every_share_and_centre(cases_of):
    for size, rows in cases_of("cutmix")["box_rule"].items():
        height, width = map(int, size.split("x"))
        for share, row, column, *box, kept in rows.tolist():
            cut = rectangle(height, width, share, (int(row), int(column)))
            assert list(cut) == box and 1 - cut.area / (height * width) == pytest.approx(kept)
