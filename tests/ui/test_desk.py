"""One piece of work at a time: order, progress, calling off, and what goes wrong."""

import asyncio
import threading

import pytest

from kohl.errors import BadSetting
from kohl.types import Step
from kohl.ui.desk import Desk, State
from kohl.ui.refusals import Refused


def ran(scenario, **given):
    """What a scenario with an open desk returns."""

    async def run():
        desk = Desk(**given)
        desk.open()
        try:
            return await asyncio.wait_for(scenario(desk), 20)
        finally:
            await desk.close()

    return asyncio.run(run())


async def over(*works):
    for work in works:
        while not work.over:
            await work.change(1.0)


def step(index, total=2):
    return Step(index, total, {}, None)


def test_first_come_first_served_and_what_is_looked_at_last():
    order, gate = [], threading.Event()

    async def scenario(desk):
        works = [desk.submit(lambda watch: gate.wait())]
        works += [
            desk.submit(lambda watch, name=name: order.append(name), urgent=name != "look")
            for name in ("look", "first", "second")
        ]
        await asyncio.sleep(0.05)
        before = [desk.before(work) for work in works]
        gate.set()
        await over(*works)
        return before

    assert ran(scenario) == [0, 3, 1, 2]
    assert order == ["first", "second", "look"]


def test_progress_never_goes_back():
    seen = []

    def task(watch):
        for index in (0, 1, 0, 1):
            watch(step(index))
        return "done"

    async def scenario(desk):
        work = desk.submit(task)
        while not work.over:
            await work.change(1.0)
            seen.append(work.progress)
        return work

    work = ran(scenario)
    assert (work.state, work.result, work.progress) == (State.DONE, "done", 1.0)
    assert seen == sorted(seen)


def test_work_is_called_off_before_it_begins_and_at_its_next_step():
    begun = threading.Event()

    def endless(watch):
        begun.set()
        while True:
            watch(step(0))

    async def scenario(desk):
        running, waiting = desk.submit(endless), desk.submit(endless)
        while not begun.is_set():
            await asyncio.sleep(0.01)
        desk.call_off(waiting)
        assert waiting.state == State.CANCELLED
        desk.call_off(running)
        await over(running)
        return running.state

    assert ran(scenario) == State.CANCELLED


@pytest.mark.parametrize(
    ("error", "code"),
    [(BadSetting("x"), 400), (MemoryError(), 507), (OSError(28, "full"), 507), (ZeroDivisionError(), 500)],
)
def test_what_goes_wrong_is_a_refusal_and_the_next_is_served(error, code):
    def fails(watch):
        raise error

    async def scenario(desk):
        bad, good = desk.submit(fails), desk.submit(lambda watch: 1)
        await over(bad, good)
        return bad.state, bad.refused.code, good.result

    assert ran(scenario) == (State.FAILED, code, 1)


def test_what_takes_too_long_is_given_up():
    def endless(watch):
        while True:
            watch(step(0))

    async def scenario(desk):
        work = desk.submit(endless)
        await over(work)
        return work.refused

    refused = ran(scenario, longest_s=0.05)
    assert (refused.code, "longer than" in refused.said) == (503, True)


def test_there_is_an_end_to_the_queue():
    gate = threading.Event()

    async def scenario(desk):
        works = [desk.submit(lambda watch: gate.wait())]
        await asyncio.sleep(0.05)
        works += [desk.submit(lambda watch: None) for _ in range(2)]
        with pytest.raises(Refused, match="2 photos are waiting"):
            desk.submit(lambda watch: None)
        gate.set()
        await over(*works)

    ran(scenario, most=2)
