"""What a run says of its CPU: the name, and the instructions by which kernels are chosen."""

import platform

import pytest
import torch

from wsol.training.device import cpu_kind


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        (
            {"cpu_name": "Intel Xeon", "amx_bf16": True, "avx512_bf16": True, "sse2": True},
            "Intel Xeon, AVX512, amx_bf16, avx512_bf16",
        ),
        ({"cpu_name": "EPYC", "avx512_bf16": True, "amx_bf16": False}, "EPYC, AVX512, avx512_bf16"),
    ],
)
def test_name_and_instructions(told, kind, monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: told, raising=False)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX512")
    assert cpu_kind() == kind


def test_a_torch_that_does_not_tell(monkeypatch):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "DEFAULT")
    monkeypatch.setattr(platform, "processor", lambda: "")
    assert cpu_kind() == f"{platform.machine()}, DEFAULT"
