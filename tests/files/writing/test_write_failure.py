"""A disk that is full, or that cannot be written: one line, and the earlier file as it was."""

import errno
import os
import subprocess
import sys

import pytest

from wsol.errors import UserError
from wsol.files.writing.atomic import replacing, write_bytes, write_text
from wsol.files.writing.write_failure import REFUSALS, CannotWrite, error_number, writing

LIMIT = 1 << 18

# In a process of its own: a limit of file size cannot be raised again. SIGXFSZ would end it.
LIMITED = f"""
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
import numpy as np, torch
from pathlib import Path
from torch import nn
from wsol.files.writing.atomic import write_bytes, write_text
from wsol.files.csv_table import write_csv
from wsol.files.pictures.picture_files import write_picture
from wsol.files.writing.write_failure import CannotWrite
from wsol.training.run_folder import RunFolder
folder = Path(sys.argv[2])
network = nn.Linear(1000, 1000)
noise = np.random.default_rng(0).integers(0, 256, (999, 999), np.uint8)
WRITERS = {{
    "weights": lambda: RunFolder(folder).save_weights(network, "last"),
    "progress": lambda: RunFolder(folder).save_progress({{"module": network.state_dict()}}),
    "log": lambda: RunFolder(folder).write_log([{{"epoch": "1" * 10**6}}]),
    "facts": lambda: RunFolder(folder).write_facts({{"cost": "1" * 10**6}}),
    "table": lambda: write_csv(folder / "table.csv", ["a"], [["1" * 10**6]]),
    "picture": lambda: write_picture(folder, "picture", noise),
    "bytes": lambda: write_bytes(folder / "bytes.npz", bytes(10**6)),
}}
resource.setrlimit(resource.RLIMIT_FSIZE, ({LIMIT}, {LIMIT}))
try:
    WRITERS[sys.argv[1]]()
except CannotWrite as error:
    print(error)
"""

FILES = {
    "weights": "last.safetensors",
    "progress": "resume.pth",
    "log": "log.csv",
    "facts": "run.json",
    "table": "table.csv",
    "picture": "picture.png",
    "bytes": "bytes.npz",
}


@pytest.mark.parametrize("what", FILES)
def test_a_file_that_may_not_grow_is_one_line_and_the_earlier_one_stays(what, tmp_path):
    pytest.importorskip("resource", reason="no limits of file size on this system")
    earlier = tmp_path / FILES[what]
    earlier.write_bytes(b"as it was")
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, what, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{earlier}: cannot be written: ")
    assert done.stdout.count("\n") == 1 and "is unchanged" in done.stdout and "ulimit -f" in done.stdout
    assert earlier.read_bytes() == b"as it was"
    assert list(tmp_path.iterdir()) == [earlier]


@pytest.mark.parametrize("number", REFUSALS)
@pytest.mark.parametrize("wrapped", [False, True])
def test_each_refusal_of_the_system_names_file_and_mend(number, wrapped, tmp_path):
    path = tmp_path / "table.csv"
    with pytest.raises(CannotWrite) as raised, replacing(path):
        try:
            raise OSError(number, os.strerror(number))
        except OSError as error:
            if not wrapped:
                raise
            # As torch does while its archive is being closed.
            raise RuntimeError("unexpected pos 704 vs 598") from error
    said, mend = REFUSALS[number]
    assert str(raised.value).startswith(f"{path}: cannot be written: {said}")
    assert mend in str(raised.value) and "unchanged" not in str(raised.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("error", [KeyError("x"), OSError("no number"), OSError(errno.EAGAIN, "later")])
def test_what_is_no_refusal_stays_as_it_is(error, tmp_path):
    with pytest.raises(type(error)) as raised, writing(tmp_path):
        raise error
    assert raised.value is error


def test_a_number_in_the_words_of_rust_is_found():
    assert error_number(RuntimeError("I/O error: No space left on device (os error 28)")) == 28
    assert error_number(RuntimeError("28")) is None


def test_where_a_file_stands_for_a_folder_or_a_folder_for_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "folder" / "full").mkdir(parents=True)
    for path in (
        tmp_path / "file" / "table.csv",
        tmp_path / "file" / "a" / "b.csv",
        tmp_path / "folder",
    ):
        with pytest.raises(CannotWrite, match="stands where"):
            write_bytes(path, b"")


def test_text_that_is_no_unicode_is_named(tmp_path):
    with pytest.raises(UserError) as raised:
        write_text(tmp_path / "images.csv", "image_id,path\n1,caf\udce9.jpg\n2,b.jpg\n")
    assert "images.csv" in str(raised.value) and r"'1,caf\udce9.jpg'" in str(raised.value)
    assert list(tmp_path.iterdir()) == []
