import threading

import pytest

from wsol.evaluation.threads import in_threads


@pytest.mark.parametrize("threads", [0, 1, 2, 5])
def test_results_come_in_order(threads):
    assert list(in_threads(lambda n: n * n, range(100), threads)) == [n * n for n in range(100)]
    assert list(in_threads(lambda n: n, [], threads)) == []


@pytest.mark.parametrize("threads", [1, 2])
def test_a_stream_is_not_read_far_ahead(threads):
    taken = []
    results = in_threads(lambda n: n, (taken.append(n) or n for n in range(10_000)), threads)
    for _ in range(10):
        next(results)
    assert len(taken) <= 10 + 4 * threads + 1
    results.close()


def test_two_items_are_under_way_at_once():
    meeting = threading.Barrier(2, timeout=20)  # breaks unless both arrive
    assert len(list(in_threads(lambda _: meeting.wait(), range(2), 2))) == 2


@pytest.mark.parametrize("threads", [1, 2])
def test_an_error_reaches_the_caller(threads):
    with pytest.raises(ZeroDivisionError):
        list(in_threads(lambda n: 1 // (n - 7), range(50), threads))
