"""Cases of the golden attention files, one object each."""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np
import pytest
import torch

# Of the files' own README: the reference in float64 agrees with itself in float32 ten times better.
CLOSE = {"rtol": 1e-4, "atol": 1e-5}


class GoldenCase:
    """One case of a golden file: its options, its arrays by name, and the worst difference found."""

    def __init__(self, name: str, arrays: Mapping[str, np.ndarray]) -> None:
        self.name = name
        self.config = json.loads(str(arrays["config"]))
        self.arrays = {key: torch.from_numpy(array) for key, array in arrays.items() if key != "config"}

    def __getitem__(self, key: str) -> torch.Tensor:
        return self.arrays[key]

    def part(self, prefix: str) -> dict[str, torch.Tensor]:
        """All arrays under ``prefix/``, by the rest of their names."""
        found = {key: array for key, array in self.arrays.items() if key.startswith(f"{prefix}/")}
        return {key.removeprefix(f"{prefix}/"): array for key, array in found.items()}

    def load(self, module: torch.nn.Module, ours: Mapping[str, str]) -> None:
        """Load the case's weights under our names; every tensor of the module must be among them."""
        state = {_renamed(key, ours): array for key, array in self.part("weights").items()}
        missing, unexpected = module.load_state_dict(state, strict=False)
        assert not unexpected
        assert [key for key in missing if not key.endswith("num_batches_tracked")] == []

    def compare(self, key: str, found: torch.Tensor | None) -> None:
        """Assert closeness to the array ``key``; ``pytest -s`` shows the largest difference."""
        expected = self[key]
        assert found is not None, key
        print(f"{self.name:26} {key:44} {float((found - expected).abs().max()):.1e}")
        torch.testing.assert_close(
            found, expected, **CLOSE, msg=lambda text: f"{self.name} {key}: {text}"
        )

    def compare_gradients(self, module: torch.nn.Module, ours: Mapping[str, str]) -> None:
        """Compare the gradient of every parameter that the file has one of."""
        parameters = dict(module.named_parameters())
        gradients = self.part("grad_weights")
        assert {_renamed(key, ours) for key in gradients} == set(parameters)
        for key in gradients:
            self.compare(f"grad_weights/{key}", parameters[_renamed(key, ours)].grad)

    def compare_statistics(self, module: torch.nn.Module, ours: Mapping[str, str]) -> None:
        """Compare the running statistics after one call in training mode."""
        state = module.state_dict()
        for key in self.part("train/stats_after"):
            self.compare(f"train/stats_after/{key}", state[_renamed(key, ours)])


def _renamed(key: str, ours: Mapping[str, str]) -> str:
    layer, _, tensor = key.rpartition(".")
    return f"{ours[layer]}.{tensor}"


@pytest.fixture
def golden_cases(golden_file):
    """Gives all cases of a golden attention file."""

    def read(name: str) -> list[GoldenCase]:
        cases: dict[str, dict[str, np.ndarray]] = {}
        with np.load(golden_file(name)) as file:
            for key in file.files:
                case, _, rest = key.partition("/")
                cases.setdefault(case, {})[rest] = file[key]
        assert cases
        return [GoldenCase(case, arrays) for case, arrays in cases.items()]

    return read
