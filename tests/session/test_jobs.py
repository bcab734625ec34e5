"""Background jobs: progress while they run, one line when they fail, and the server goes on."""

from __future__ import annotations

import logging
import threading

import pytest

from explorer.records import ModelError
from explorer.session.jobs import Jobs, Tell

WAIT_S = 20


def _raising(error: Exception) -> Jobs:
    jobs = Jobs()

    def work(_tell: Tell) -> None:
        raise error

    assert jobs.start(work) == 1
    return jobs


def test_progress_is_told_while_it_runs() -> None:
    told, go_on = threading.Event(), threading.Event()

    def work(tell: Tell) -> None:
        tell("reading", 0.25)
        told.set()
        assert go_on.wait(WAIT_S)

    jobs = Jobs()
    number = jobs.start(work)
    assert told.wait(WAIT_S)
    now = jobs.wait(number, 0)
    assert (now.sentence, now.share, now.done, now.error) == ("reading", 0.25, False, None)
    go_on.set()
    now = jobs.wait(number, WAIT_S)
    assert (now.done, now.error) == (True, None)


def test_waiting_ends_when_the_job_does() -> None:
    jobs = Jobs()
    assert jobs.wait(jobs.start(lambda _tell: None), 10 * WAIT_S).done


@pytest.mark.parametrize("error", [ValueError("the text is empty"), ModelError("no such model: choose another")])
def test_what_a_person_can_mend_is_one_line(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        now = _raising(error).wait(1, WAIT_S)
    assert now.done
    assert now.error == str(error)
    assert all(record.exc_info is None for record in caplog.records)


@pytest.mark.parametrize("error", [RuntimeError("a\nlong\nstory"), KeyError("x"), MemoryError()])
def test_what_nobody_expected_is_logged_and_told(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        now = _raising(error).wait(1, WAIT_S)
    assert now.done
    assert now.error is not None
    assert type(error).__name__ in now.error
    assert "\n" not in now.error
    assert "log" in now.error
    (record,) = caplog.records
    assert record.exc_info is not None
    assert record.exc_info[1] is error


def test_a_failed_job_does_not_take_its_worker_along() -> None:
    jobs = Jobs(workers=1)

    def fail(_tell: Tell) -> None:
        raise ModelError("no")

    failed = jobs.start(fail)
    good = jobs.start(lambda _tell: None)
    assert jobs.wait(failed, WAIT_S).error == "no"
    assert jobs.wait(good, WAIT_S).error is None


def test_a_number_nobody_knows_is_an_error_not_a_wait() -> None:
    now = Jobs().wait(99, WAIT_S)
    assert now.done
    assert "press Run again" in (now.error or "")


def test_the_last_jobs_are_kept_and_a_running_one_always() -> None:
    go_on = threading.Event()
    jobs = Jobs(workers=2)
    running = jobs.start(lambda _tell: go_on.wait(WAIT_S) and None)
    numbers = []
    for _ in range(200):
        numbers.append(jobs.start(lambda _tell: None))
        assert jobs.wait(numbers[-1], WAIT_S).done
    assert jobs.wait(numbers[-1], 0).error is None
    assert jobs.wait(numbers[0], 0).error is not None
    assert not jobs.wait(running, 0).done
    go_on.set()
    assert jobs.wait(running, WAIT_S).error is None


def test_a_cancelled_job_stops_at_its_next_word() -> None:
    begun, go_on = threading.Event(), threading.Event()
    reached: list[str] = []

    def work(tell: Tell) -> None:
        tell("first half", 0.5)
        begun.set()
        assert go_on.wait(WAIT_S)
        tell("second half", 0.7)
        reached.append("the end")

    jobs = Jobs()
    number = jobs.start(work)
    assert begun.wait(WAIT_S)
    jobs.cancel(number)
    go_on.set()
    now = jobs.wait(number, WAIT_S)
    assert now.done
    assert "cancelled" in (now.error or "")
    assert reached == []
    jobs.cancel(number)
    jobs.cancel(99)
