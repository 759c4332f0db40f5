"""One process a folder: kept by a stopped process, lost by a dead one, taken over between machines."""

import os
import signal
import threading

import pytest

from wsol.files.locking import lock as locks
from wsol.files.locking.lock import TAKEN_OVER_AFTER, Held, Lost, hold

# Holds the folder, says so, and goes on until its input ends.
HOLDER = """
import sys
from wsol.files.locking.lock import hold
with hold(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path, started):
    return started(HOLDER, tmp_path, "held")


def let_go(holder):
    holder.stdin.close()
    holder.wait()


def silent(folder, seconds=TAKEN_OVER_AFTER + 60):
    """The token's stamp as if it had not been renewed for so long; negative: a stamp of the future."""
    past = (folder / ".lock").stat().st_mtime - seconds
    os.utime(folder / ".lock", (past, past))


def test_nothing_is_left_behind(tmp_path):
    (tmp_path / "run").mkdir()
    with hold(tmp_path / "run"), hold(tmp_path / "a" / "new"):
        assert (tmp_path / "run" / ".lock").exists()
    assert [path.name for path in tmp_path.rglob("*")] == ["run"]
    with hold(tmp_path / "a" / "new"):
        (tmp_path / "a" / "new" / "log.csv").touch()
    assert [path.name for path in (tmp_path / "a" / "new").iterdir()] == ["log.csv"]


def test_another_process_is_told_who_holds_it(tmp_path, holder):
    with (
        pytest.raises(Held, match=rf"{tmp_path}: in use by process {holder.pid} on .+ since 20"),
        hold(tmp_path),
    ):
        pass
    let_go(holder)
    with hold(tmp_path):
        pass


def test_a_stopped_process_keeps_it_however_old_its_stamp(tmp_path, holder):
    holder.send_signal(signal.SIGSTOP)
    silent(tmp_path)
    with (
        pytest.raises(Held, match=rf"silent for 16 min: continue it \(kill -CONT {holder.pid}\)"),
        hold(tmp_path),
    ):
        pass
    holder.send_signal(signal.SIGCONT)
    let_go(holder)
    assert holder.returncode == 0


def test_a_dead_process_has_lost_it_at_once(tmp_path, holder):
    holder.kill()
    holder.wait()
    assert (tmp_path / ".lock").exists()
    with hold(tmp_path) as lock:
        lock.check()
    assert not list(tmp_path.iterdir())


def test_waiting_is_said_once_and_ends_with_the_holder(tmp_path, holder):
    said = []

    def end_it(line):
        said.append(line)
        holder.stdin.close()

    with hold(tmp_path, wait=end_it) as lock:
        lock.check()
    (line,) = said
    assert line.startswith(f"{tmp_path}: in use by process {holder.pid} on ")
    assert line.endswith("; waiting")


def test_the_same_thread_holds_it_again_and_another_thread_does_not(tmp_path):
    refused = []

    def other_thread():
        with pytest.raises(Held), hold(tmp_path):
            pass
        refused.append(True)

    with hold(tmp_path) as outer:
        with hold(tmp_path) as inner:
            assert inner is outer
        thread = threading.Thread(target=other_thread)
        thread.start()
        thread.join()
        outer.check()
    assert refused


@pytest.mark.parametrize(("first", "second"), [("alpha", "beta"), ("beta", "alpha")])
def test_between_machines_a_renewed_stamp_keeps_it_and_a_silent_one_is_taken_over(
    tmp_path, first, second
):
    with hold(tmp_path, host=first) as lock:
        silent(tmp_path, TAKEN_OVER_AFTER - 60)
        with pytest.raises(Held, match=f"on {first} since"), hold(tmp_path, host=second):
            pass
        lock.check()
        silent(tmp_path)
        with hold(tmp_path, host=second) as other:
            other.check()
            with pytest.raises(
                Lost, match=rf"taken over by process {os.getpid()} on {second} since .* \(process"
            ):
                lock.check()
            lock.release()  # leaves the other's token alone
            other.check()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("hours", "stays"), [(23, True), (25, False)])
def test_the_file_of_a_machine_that_is_gone_is_swept(tmp_path, hours, stays):
    path = tmp_path / ".lock-0123abcd"
    path.touch()
    past = path.stat().st_mtime - hours * 3600
    os.utime(path, (past, past))
    with hold(tmp_path):
        pass
    assert path.exists() == stays


def test_a_stamp_of_the_future_is_one_of_a_clock_set_back(tmp_path):
    with hold(tmp_path, host="alpha"):
        silent(tmp_path, -2 * TAKEN_OVER_AFTER)
        with hold(tmp_path, host="beta") as other:
            other.check()


def test_of_two_that_take_over_at_once_one_goes_on(tmp_path, monkeypatch):
    """Both see the silent token; the one whose token is overwritten finds out at its next check."""
    real = locks.write_bytes
    with hold(tmp_path, host="alpha"):
        silent(tmp_path)
        overtaken = []

        def late(path, content):
            monkeypatch.setattr(locks, "write_bytes", real)
            with hold(tmp_path, host="gamma") as other:
                overtaken.append(other)
                real(path, content)
                with pytest.raises(Lost, match="on beta"):
                    other.check()

        monkeypatch.setattr(locks, "write_bytes", late)
        with hold(tmp_path, host="beta") as lock:
            lock.check()
    assert overtaken


def test_all_that_a_thread_holds_is_checked_at_once(tmp_path):
    locks.check_held()
    with hold(tmp_path / "one"), hold(tmp_path / "two") as second:
        locks.check_held()
        (tmp_path / "two" / ".lock").unlink()
        with pytest.raises(Lost, match="two: its lock is gone"):
            locks.check_held()
        second.release()
    locks.check_held()


def test_a_folder_that_was_cleared_is_lost(tmp_path):
    with hold(tmp_path) as lock:
        (tmp_path / ".lock").unlink()
        with pytest.raises(Lost, match="removed or cleared"):
            lock.check()


def test_the_stamp_is_renewed_while_it_is_held_and_not_for_another(tmp_path, monkeypatch):
    renewed = threading.Event()
    real = os.utime

    def seen(path, *times):
        real(path, *times)
        if str(path).endswith(".lock") and not times:
            renewed.set()

    monkeypatch.setattr(locks.os, "utime", seen)
    with hold(tmp_path, patience=0.5):
        silent(tmp_path)
        renewed.clear()
        assert renewed.wait(60)
        assert abs((tmp_path / ".lock").stat().st_mtime - locks.time.time()) < TAKEN_OVER_AFTER


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b'{"host": "alpha"}', b"[" * 100_000])
def test_a_token_that_cannot_be_read_counts_by_its_age(tmp_path, content):
    (tmp_path / ".lock").write_bytes(content)
    with pytest.raises(Held, match=r"in use, \.lock there does not say by whom"), hold(tmp_path):
        pass
    silent(tmp_path)
    with hold(tmp_path) as lock:
        lock.check()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes in folders on this system")
def test_a_pipe_in_the_place_of_the_token_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / ".lock")
    with pytest.raises(Held, match="does not say by whom"), hold(tmp_path):
        pass


def test_without_the_system_s_locks_the_token_alone_decides(tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "try_lock", lambda handle: None)
    with hold(tmp_path, host="alpha") as lock:
        locks._HELD.clear()  # as another process of the same machine sees it
        with pytest.raises(Held), hold(tmp_path, host="alpha"):
            pass
        silent(tmp_path)
        with hold(tmp_path, host="alpha") as other:
            other.check()
            with pytest.raises(Lost):
                lock.check()
        lock.release()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_worker_does_not_keep_the_lock(tmp_path):
    """A data loader's worker outlives a killed parent by seconds."""
    ready, done = os.pipe(), os.pipe()
    with hold(tmp_path) as lock:
        child = os.fork()
        if not child:
            os.write(ready[1], b"x")
            os.read(done[0], 1)
            os._exit(0)
        os.read(ready[0], 1)
        # As if the parent had died: its handle is closed, its token stays.
        os.close(lock.handle)
        locks._HELD.clear()
        with hold(tmp_path) as other:
            other.check()
    os.write(done[1], b"x")
    os.waitpid(child, 0)
