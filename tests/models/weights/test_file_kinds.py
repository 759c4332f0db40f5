"""What is given as weights and is another thing is named for what it is."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from wsol.errors import UserError
from wsol.models.weights.loading import read_state


def zipped(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "."), content)
    return buffer.getvalue()


def tarred() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("weights.pth"), io.BytesIO())
    return buffer.getvalue()


def scripted() -> bytes:
    return zipped(**{"m/code/a__py": b"", "m/data__pkl": b"", "m/constants__pkl": b""})


def saved(content) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


def arrays() -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, a=np.ones(3))
    return buffer.getvalue()


INDEX = {"metadata": {}, "weight_map": {"a": "m-1-of-2.safetensors", "b": "m-2-of-2.safetensors"}}
KINDS = {
    "lfs.pth": (
        lambda: b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n",
        "Git LFS pointer",
    ),
    "page.pth": (lambda: b"\n<!DOCTYPE html><html><title>404</title>", "a web page"),
    "keras.h5": (lambda: b"\x89HDF\r\n\x1a\n" + b"\0" * 64, "HDF5 file"),
    "net.keras": (lambda: zipped(config__json=b"{}", model__weights__h5=b""), "a Keras file"),
    "net.onnx": (lambda: b"\x08\x07\x12\x07pytorch\x1a\x03" + b"2.0" * 9, "an ONNX file"),
    "renamed.pth": (lambda: b"\x08\x07\x12\x07pytorch\x1a\x03" + b"2.0" * 9, "an ONNX file"),
    "model.ckpt.index": (lambda: b"\0" * 40 + b"\x57\xfb\x80\x8b\x24\x75\x47\xdb", "a TensorFlow file"),
    "saved_model.pb": (lambda: b"\x08\x01\x2a" + b"a" * 50, "a TensorFlow file"),
    "model.safetensors.index.json": (lambda: json.dumps(INDEX).encode(), "index of weights in 2 files"),
    "config.json": (lambda: b'{"layers": 3}', "a JSON file"),
    "script.pt": (scripted, "a TorchScript archive"),
    "folder.zip": (lambda: zipped(weights__pth=b"x"), r"a zip archive .*weights.pth"),
    "old.pth.tar": (tarred, "a tar archive"),
    "weights.pth.gz": (lambda: b"\x1f\x8b\x08" + b"\0" * 20, "packed with gzip"),
    "weights.npz": (arrays, "NumPy arrays"),
    "whole.pth": (lambda: saved(nn.Linear(2, 2)), r"holds Python objects \(torch.nn.*Linear\)"),
}


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("given", ["", "hidden.safetensors", "hidden.pth"])
def test_each_kind_is_named_under_every_name(tmp_path, name, given):
    if given and name == "saved_model.pb":
        pytest.skip("its bytes alone do not tell it")
    make, words = KINDS[name]
    path = tmp_path / (given or name)
    path.write_bytes(make())
    with pytest.raises(UserError, match=words) as caught:
        read_state(path)
    assert str(caught.value).startswith(f"{path}: ") and "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["weights.bin", "weights.zip", "weights.safetensors", "weights"])
def test_a_file_of_torch_is_read_under_every_name(tmp_path, name):
    (tmp_path / name).write_bytes(saved({"a.weight": torch.ones(2)}))
    assert read_state(tmp_path / name).keys() == {"a.weight"}


def test_safetensors_are_read_under_every_name(tmp_path):
    save_file({"a.weight": torch.ones(2)}, tmp_path / "weights.pth")
    assert read_state(tmp_path / "weights.pth").keys() == {"a.weight"}
