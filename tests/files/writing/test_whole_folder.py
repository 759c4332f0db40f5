"""A folder is replaced in one step; killed anywhere, the old or the new one is there, nothing else."""

import os
import signal
import sys

import pytest

from wsol.files.writing import leftovers, whole_folder
from wsol.files.writing.leftovers import sweep
from wsol.files.writing.whole_folder import exchange, replacing_folder, temporary_folder

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")


def write(folder, text):
    with replacing_folder(folder) as new:
        for name in ("one", "two"):
            (new / name).write_text(text)


def content(folder):
    return {path.name: path.read_text() for path in folder.iterdir()}


def texts(text):
    return {"one": text, "two": text}


@pytest.fixture(params=["one step", "two renames"])
def way(request, monkeypatch):
    if request.param == "two renames":
        monkeypatch.setattr(whole_folder, "exchange", lambda first, second: False)
    elif not sys.platform.startswith("linux"):
        pytest.skip("this system exchanges no folders in one step")
    return request.param


def test_two_folders_are_exchanged(tmp_path):
    if not sys.platform.startswith("linux"):
        pytest.skip("this system exchanges no folders in one step")
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "is").write_text(name)
    assert exchange(tmp_path / "first", tmp_path / "second")
    assert content(tmp_path / "first") == {"is": "second"}
    assert content(tmp_path / "second") == {"is": "first"}
    assert not exchange(tmp_path / "first", tmp_path / "nowhere")


def test_it_is_made_replaced_and_kept_when_the_next_one_fails(tmp_path, way):
    folder = tmp_path / "a" / "m"
    for text in ("old", "new"):
        write(folder, text)
        assert content(folder) == texts(text)
    with pytest.raises(RuntimeError), replacing_folder(folder) as new:
        (new / "one").write_text("half")
        raise RuntimeError
    assert content(folder) == texts("new")
    assert [path.name for path in folder.parent.iterdir()] == ["m"]


def killed(action):
    """Run ``action`` in a process that is killed where it calls what it is given."""
    child = os.fork()
    if not child:
        try:
            action(lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def while_writing(folder, kill):
    with replacing_folder(folder) as new:
        (new / "one").write_text("new")
        kill()


def before_the_exchange(folder, kill):
    whole_folder._replace = kill
    write(folder, "new")


def between_the_renames(folder, kill):
    real = whole_folder.Path.rename

    def rename(self, target):
        if self.name == "new":
            kill()
        return real(self, target)

    whole_folder.Path.rename = rename
    write(folder, "new")


def after_the_exchange(folder, kill):
    whole_folder.shutil.rmtree = kill
    write(folder, "new")


@needs_fork
@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize(
    ("where", "left"),
    [
        (while_writing, "old"),
        (before_the_exchange, "old"),
        (between_the_renames, "old"),
        (after_the_exchange, "new"),
    ],
)
def test_killed_anywhere_the_old_or_the_new_one_is_there(tmp_path, way, where, left, before):
    if where is between_the_renames and way == "one step" and before:
        pytest.skip("in one step there is nothing between")
    folder = tmp_path / "m"
    if before:
        write(folder, "old")
    killed(lambda kill: where(folder, kill))
    if way == "one step" and before:  # no moment without it, not even for who reads right now
        assert content(folder) == texts(left)
    sweep(tmp_path)
    there = [path.name for path in tmp_path.iterdir()]
    assert there == (["m"] if before or left == "new" else [])
    if there:
        assert content(folder) == texts(left)
    write(folder, "newer")
    assert content(folder) == texts("newer")


@needs_fork
def test_what_a_living_process_builds_is_not_swept(tmp_path):
    ready, done = os.pipe(), os.pipe()
    child = os.fork()
    if not child:
        with replacing_folder(tmp_path / "m") as new:
            (new / "one").write_text("new")
            os.write(ready[1], b"x")
            os.read(done[0], 1)
        os._exit(0)
    os.read(ready[0], 1)
    sweep(tmp_path)
    os.write(done[1], b"x")
    assert os.waitpid(child, 0)[1] == 0
    assert content(tmp_path / "m") == {"one": "new"}
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


@needs_fork
def test_the_temporary_folder_of_a_killed_process_is_removed_by_the_next(tmp_path):
    told, worker_ends = os.pipe()
    worker_lives, ready = os.pipe()
    child = os.fork()
    if not child:
        with temporary_folder(tmp_path / "place") as folder:
            (folder / "half").write_text("half")
            if not os.fork():  # a worker that outlives it, until it is told
                os.close(worker_ends)
                os.write(ready, b"!")
                os.read(told, 1)
                os._exit(0)
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    os.read(worker_lives, 1)
    (left,) = tmp_path.iterdir()
    assert (left / "half").exists()
    leftovers._swept.clear()  # as the next process
    with temporary_folder(tmp_path / "place") as folder:
        assert list(tmp_path.iterdir()) == [folder]
    assert not list(tmp_path.iterdir())
    for handle in (worker_ends, told, ready, worker_lives):
        os.close(handle)
