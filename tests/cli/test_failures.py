"""Every exception that reaches the command line is one line, with its exit code."""

import errno
import os
import socket
import sys
from pathlib import Path

import numpy as np
import pytest

from wsol.cli import main as frame
from wsol.cli.failures import as_typed, words_of
from wsol.errors import UserError
from wsol.recipe import Recipe

MEMORY = [
    MemoryError(),
    MemoryError("Unable to allocate 4.00 TiB for an array with shape (1048576, 1048576)"),
    RuntimeError("[enforce fail at a.cpp:127] DefaultCPUAllocator: can't allocate memory: you tried"),
    RuntimeError("[enforce fail] DefaultCPUAllocator: not enough memory: you tried to allocate 1 byte"),
    RuntimeError("CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has a total of 79 GiB"),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    RuntimeError("OpenCV(4.10.0) alloc.cpp:73: error: (-4:Insufficient memory) Failed to allocate"),
    OSError(errno.ENOMEM, "Cannot allocate memory"),
]
WORKERS = [
    (RuntimeError("DataLoader worker (pid 41) is killed by signal: Killed. "), "was killed"),
    (RuntimeError("DataLoader worker (pid(s) 41, 42) exited unexpectedly"), "was killed"),
    (
        RuntimeError(
            "DataLoader worker (pid 41) is killed by signal: Bus error. It is possible that "
            "dataloader's workers are out of shared memory. Please try to raise your limit."
        ),
        "/dev/shm",
    ),
    (RuntimeError("unable to open shared memory object </torch_41_2> in read-write mode"), "/dev/shm"),
    (RuntimeError("unable to mmap 128 bytes from file </torch_7_1>: Cannot allocate"), "/dev/shm"),
    (OSError(errno.EMFILE, "Too many open files"), "ulimit -n"),
    (RuntimeError("received 0 items of ancdata"), "ulimit -n"),
]


@pytest.mark.parametrize("error", MEMORY, ids=lambda error: str(error)[:30])
def test_memory_that_runs_out_says_what_to_lower(error):
    said, code = words_of(error, "train")
    assert code == 2 and said.startswith("out of memory: ") and "\n" not in said
    assert ("GPU" in said) == ("CUDA" in str(error))
    assert "--training.batch_size" in said and "--data.input_size" in said and "--how.workers" in said
    assert "--training" not in words_of(error, "evaluate")[0]
    assert "out of memory" in words_of(error, "")[0]


@pytest.mark.parametrize(("error", "word"), WORKERS, ids=lambda error: str(error)[:40])
def test_lost_workers_say_what_to_change(error, word):
    said, code = words_of(error, "train")
    assert code == 2 and word in said and "--how.workers 0" in said and "\n" not in said
    assert "--how" not in words_of(error, "evaluate")[0]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "no space is left on the disk"),
        (OSError(errno.EROFS, "Read-only file system", "/a/b"), "/a/b: the file system is read-only"),
        (PermissionError(errno.EACCES, "Permission denied", "/a/b"), "/a/b: permission denied"),
        (OSError(errno.ELOOP, "Too many levels of symbolic links", "/a"), "/a: Too many levels"),
    ],
)
def test_what_the_system_refuses_names_the_file(error, said):
    assert said in words_of(error, "")[0] and words_of(error, "")[1] == 2


@pytest.mark.parametrize("error", [KeyError("x"), RecursionError("too deep"), ZeroDivisionError()])
def test_anything_else_is_told_as_a_bug(error, monkeypatch, capsys):
    def broken(argv):
        raise error

    monkeypatch.setitem(frame.COMMANDS, "broken", "")
    monkeypatch.setitem(sys.modules, "wsol.cli.broken", type(sys)("wsol.cli.broken"))
    sys.modules["wsol.cli.broken"].main = eval("lambda argv: call(argv)", {"call": broken})
    monkeypatch.setattr("wsol.cli.failures._users_own", lambda error: "")
    assert frame.main(["broken"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("wsol: error: this is a bug in wsol: ") and said.count("\n") == 1
    assert "wsol env" in said and "WSOL_TRACEBACK=1" in said
    monkeypatch.setenv("WSOL_TRACEBACK", "1")
    assert frame.main(["broken"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_what_a_users_own_code_raises_names_its_line(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text("def forward(x):\n    return x['nothing']\n")
    space = {}
    exec(compile(file.read_text(), str(file), "exec"), space)
    with pytest.raises(KeyError) as caught:
        space["forward"]({})
    said, code = words_of(caught.value, "train")
    assert code == 2 and said.startswith(f"{file} line 2: KeyError: 'nothing'")


def test_keys_are_called_by_the_options_that_were_typed():
    options = {"how.device": "--device"}
    assert as_typed("how.device is 'x': there are", options) == "--device is 'x': there are"
    assert as_typed("use --how.device or how.devices", options) == "use --how.device or how.devices"


@pytest.mark.parametrize("make", ["pipe", "socket", "device", "folder"])
@pytest.mark.parametrize(
    "argv",
    [
        "train --config {}.yaml",
        "iou --predictions {}.csv --annotations {}.csv",
        "iou --predictions {}.json --annotations {}.json",
        "iou --predictions {}.xml --annotations {}.xml",
        "evaluate --model timm:resnet18 --weights {}.pth --manifest m",
        "evaluate --model timm:resnet18 --weights {}.safetensors --manifest m",
        "localize {}.jpg --model timm:resnet18 --weights none.pth",
    ],
)
def test_what_is_no_file_is_one_line_and_never_waited_for(make, argv, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a socket's name is short
    argv = argv.format("thing", "thing").split()
    name = next(word for word in argv if word.startswith("thing"))
    opened = socket.socket(socket.AF_UNIX)
    if make == "pipe":
        os.mkfifo(name)
    elif make == "socket":
        opened.bind(name)
    elif make == "device":
        Path(name).symlink_to("/dev/zero")
    else:
        Path(name).mkdir()
    try:
        code = frame.main(argv)
    finally:
        opened.close()
    said = capsys.readouterr().err
    assert code == 2 and said.startswith("wsol: error: ") and "Traceback" not in said
    assert name in said or "none.pth" in said


BOMB = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9) if n else '1'}]\n" for n in range(30))
BAD_YAML = {
    "nested lists": ("attention: {options: {k: " + "[" * 5000 + "]" * 5000 + "}}", "nested too deeply"),
    "nested mappings": ("{a: " * 3000 + "1" + "}" * 3000, "nested too deeply"),
    "block lists": ("- " * 3000 + "1", "nested too deeply"),
    "aliases": (BOMB, "over 10000 values"),
    "an alias of itself": ("attention: &a {options: *a}", "an alias that holds itself"),
    "a key twice": ("seed: 1\nseed: 2", "line 2: 'seed' is already in line 1"),
    "a key twice below": ("training: {lr: 1, epochs: 2, lr: 3}", "'lr' is already in line 1"),
    "code": (
        "seed: !!python/object/apply:os.system ['touch marker']",
        "could not determine a constructor",
    ),
    "two documents": ("seed: 1\n---\nseed: 2", "not a YAML recipe"),
    "no text": ("\0\1", "not a YAML recipe"),
}


@pytest.mark.parametrize("kind", BAD_YAML)
def test_yaml_that_is_no_recipe_is_one_line(kind, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "r.yaml").write_text(BAD_YAML[kind][0])
    assert frame.main(["train", "--config", "r.yaml"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("wsol: error: r.yaml: ") and said.count("\n") == 1
    assert BAD_YAML[kind][1] in said and not (tmp_path / "marker").exists()


def test_an_alias_that_is_bounded_is_read(tmp_path):
    (tmp_path / "r.yaml").write_text("data: {input_size: &side 64, resize_size: *side}\n")
    assert Recipe.from_yaml(tmp_path / "r.yaml").data.resize_size == 64


@pytest.mark.parametrize("text", ["[" * 5000, "{a: " * 5000, "[" * 400 + "]" * 400])
def test_options_nested_too_deeply_are_one_line(text, capsys):
    assert frame.main(["train", "--attention.options.k", text]) == 2
    assert capsys.readouterr().err.count("\n") == 1


DEEP = "[" * 100_000
BAD_JSON = [DEEP, '{"images": ' + DEEP, '{"images": 3}', "[1, 2", "", "nan", '{"images": [[]]}']


@pytest.mark.parametrize("text", BAD_JSON, ids=lambda text: text[:16])
def test_json_that_is_no_annotation_is_one_line(text, tmp_path, capsys):
    (tmp_path / "a.json").write_text(text)
    assert frame.main(["iou", "--predictions", str(tmp_path / "a.json"), "--annotations", "b.csv"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("wsol: error: ") and "Traceback" not in said


@pytest.mark.parametrize("text", [DEEP, "3", "[]", "{}", '{"format": 3}'], ids=lambda text: text[:16])
def test_json_that_is_no_manifest_is_one_line(text, tmp_path, capsys):
    (tmp_path / "manifest.json").write_text(text)
    np.save(tmp_path / "a.npy", np.zeros((2, 2)))
    assert frame.main(["evaluate", "--maps", str(tmp_path), "--manifest", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_errors_of_the_user_are_told_as_they_are():
    assert words_of(UserError("a line"), "train") == ("a line", 2)
