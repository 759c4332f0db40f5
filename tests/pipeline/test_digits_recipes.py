"""The recipe of digits as this machine trains it: by what its CPU computes."""

import pytest
import torch

from wsol.pipeline.demo import demo_recipes
from wsol.pipeline.digits_recipes import on_this_machine
from wsol.recipe import How
from wsol.training import device
from wsol.training.device import computes_bf16, launch

# What torch tells of a CPU's instructions, whether oneDNN takes bf16 there, and whether it has it.
CPUS = {
    "amx": ({"avx512_f": True, "avx512_bf16": True, "amx_bf16": True}, True, True),
    "avx512 with bf16": ({"avx512_f": True, "avx512_bf16": True, "amx_bf16": False}, True, True),
    # oneDNN takes it there, and emulates it.
    "avx512": ({"avx512_f": True, "avx512_bf16": False, "amx_bf16": False}, True, False),
    "avx2": ({"avx2": True, "avx512_bf16": False, "amx_bf16": False}, False, False),
    "older torch, bf16": (None, True, True),
    "older torch, no bf16": (None, False, False),
    "another kind": ({"neon": True}, None, None),
}


@pytest.fixture(params=CPUS)
def cpu(request, monkeypatch):
    """Whether a CPU has bf16; None where torch does not say."""
    told, supported, has = CPUS[request.param]
    if told is None:
        monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    else:
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: told, raising=False)
    said = (lambda: supported) if supported is not None else None
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", said)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    return has


def test_digits_train_in_bf16_where_the_cpu_has_it(cpu):
    for recipe in demo_recipes(how=How(device="cpu")).values():
        here = on_this_machine(recipe)
        assert here.training.precision == ("32-true" if cpu is False else "bf16-mixed")
        assert here.changed(training={"precision": "bf16-mixed"}) == recipe


def test_a_gpu_has_it_and_other_precisions_stay(cpu, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    recipe = demo_recipes(how=How(device="auto"))["cam"]
    assert computes_bf16("cuda") and computes_bf16("auto") and on_this_machine(recipe) == recipe
    half = recipe.changed(training={"precision": "16-mixed"}, how={"device": "cpu"})
    assert on_this_machine(half) == half


def test_slow_bf16_is_told_once(cpu, capsys):
    device._tell_of_slow_bf16.cache_clear()
    launch("cpu", "bf16-mixed")
    launch("cpu", "bf16-mixed")
    launch("cpu", "32-true")
    told = capsys.readouterr().err
    assert told.count("this CPU computes in software") == (cpu is False)
    assert "--training.precision 32-true" in told or cpu is not False
