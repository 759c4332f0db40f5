"""What goes wrong at a row is the row's, unless it is the way out of a request to end."""

import pytest

from wsol.errors import UserError
from wsol.pipeline.grid import row_work


def replaced(asked: BaseException) -> None:
    """A library complains while the program leaves: torch's loader, of a worker that is gone."""
    try:
        raise asked
    finally:
        try:
            raise OSError("the worker had the signal too")
        except OSError as error:
            raise RuntimeError("DataLoader worker is killed by signal: Terminated.") from error


@pytest.mark.parametrize("asked", [KeyboardInterrupt("SIGTERM"), SystemExit(143)])
def test_a_request_to_end_ends_the_grid_whatever_replaced_it(asked, monkeypatch, capsys):
    monkeypatch.setattr(row_work, "do_row", lambda row, overlays: replaced(asked))
    with pytest.raises(type(asked)) as caught:
        row_work.attempt(None, 0)
    assert caught.value is asked
    assert capsys.readouterr().err == ""


def test_any_other_failure_is_the_row_s(monkeypatch, capsys):
    def fail(row, overlays):
        try:
            raise OSError("no room")
        except OSError:
            raise UserError("the disk is full") from None

    monkeypatch.setattr(row_work, "do_row", fail)
    assert row_work.attempt(None, 0) == ("failed", "the disk is full")
    monkeypatch.setattr(row_work, "do_row", lambda row, overlays: 1 / 0)
    assert row_work.attempt(None, 0) == ("failed", "ZeroDivisionError: division by zero")
    assert "Traceback" in capsys.readouterr().err
