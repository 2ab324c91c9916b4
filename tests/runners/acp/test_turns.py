"""A turn of an agent's program: what it says, runs, asks and writes is in the log, in its order."""

import os
import shutil
import sys
from decimal import Decimal
from pathlib import Path

from sojourn.domain.content import ToolCallPart
from sojourn.domain.events import (
    MessageCompleted,
    ModelCalled,
    PlanChanged,
    ProviderSessionLinked,
    ThoughtRecorded,
    ToolCompleted,
    ToolRequested,
    ToolStarted,
    TurnCompleted,
    TurnFailed,
    UsageRecorded,
)
from sojourn.domain.file_events import FileWritten
from sojourn.service.asks import Verdict
from tests.runners.acp.stage import Stage, decide
from tests.support.world import SOMEBODY
from tests.worker.workplace import until


async def test_what_the_program_says_is_the_answer_and_the_same_program_answers_the_next_turn(
    stage: Stage,
) -> None:
    world = stage.world
    session = await stage.session()
    async with stage.working():
        await world.send(session, "say hello there")
        await until(world, session, "turn.completed")
        await world.send(session, "say once more")
        await until(world, session, "turn.completed", 2)
    (linked,) = await world.said(session, ProviderSessionLinked)
    assert (linked.kind, linked.agent, linked.reason) == ("acp", Path(sys.executable).name, None)
    assert [said.text.strip() for said in await world.said(session, MessageCompleted)] == [
        "hello there",
        "once more",
    ]
    assert [used.usage.input_tokens for used in await world.said(session, UsageRecorded)] == [5, 5]
    assert stage.prompts(session) == [["say hello there", "say once more"]]


async def test_text_and_tools_become_model_calls_that_each_end_before_their_tools_do(stage: Stage) -> None:
    world = stage.world
    session = await stage.session()
    lines = ("think why", "plan first", "say looking", "run a", "start b", "run c", "finish b", "say found")
    async with stage.working():
        await world.send(session, "\n".join(lines))
        await until(world, session, "turn.completed")
    said = await world.said(session, MessageCompleted)
    assert [one.text.strip() for one in said if one.text] == ["looking", "found"]
    assert [call.call for call in await world.said(session, ModelCalled)] == [one.call for one in said]
    requested = await world.said(session, ToolRequested)
    assert [(one.id, one.name, one.arguments) for one in requested] == [
        (id, "work", f'{{"id": "{id}"}}') for id in "abc"
    ]
    assert sorted((one.id, one.status, one.output) for one in await world.said(session, ToolCompleted)) == [
        (id, "done", f"done {id}") for id in "abc"
    ]
    assert len(await world.said(session, ToolStarted)) == 3
    assert [one.text for one in await world.said(session, ThoughtRecorded)] == ["why"]
    assert [step.content for one in await world.said(session, PlanChanged) for step in one.steps] == ["first"]
    parts = [part for message in (await world.conversation(session)).messages for part in message.parts]
    assert [part.id for part in parts if isinstance(part, ToolCallPart)] == ["a", "b", "c"]


async def test_a_long_running_tool_is_in_the_log_before_it_ends(stage: Stage) -> None:
    world = stage.world
    session = await stage.session()
    async with stage.working():
        turn = (await world.send(session, "start long\nwait")).turn
        await until(world, session, "tool.started")
        await world.services.turns.cancel(world.org, session, turn, SOMEBODY)
    (result,) = await world.said(session, ToolCompleted)
    assert result.status == "cancelled"


async def test_files_are_read_and_written_in_the_sessions_directory_only_and_stand_in_its_area(
    stage: Stage, tmp_path: Path
) -> None:
    world = stage.world
    session = await stage.session()
    (tmp_path / "secret.txt").write_text("not for programs")
    place = stage.place(session)
    place.mkdir(parents=True)
    (place / "out").symlink_to(tmp_path)
    async with stage.working():
        await world.send(session, f"write {place}/notes/a.txt some text\nread notes/a.txt")
        await until(world, session, "turn.completed")
        assert (place / "notes" / "a.txt").read_text() == "some text"
        for path in (tmp_path / "secret.txt", "../../../secret.txt", "out/secret.txt"):
            await world.send(session, f"read {path}")
        await until(world, session, "turn.failed", 3)
    first, *_ = await world.said(session, MessageCompleted)
    assert first.text == "some text"
    assert all(
        "is not in the session's directory" in one.error for one in await world.said(session, TurnFailed)
    )
    written = await world.said(session, FileWritten)
    assert [one.path for one in written] == ["notes/a.txt"]


async def test_what_is_no_file_of_the_area_is_refused_to_the_program_and_ends_no_later_turn(
    stage: Stage,
) -> None:
    world = stage.world
    session = await stage.session()
    place = stage.place(session)
    place.mkdir(parents=True)
    # Whoever opened a pipe would wait for its other end.
    os.mkfifo(place / "pipe")
    (place / "loop").symlink_to("loop")
    await world.services.files.write(world.org, session, "loop/given.txt", b"what cannot be laid out")
    lines = ("read pipe", "read loop/given.txt", f"write {'long/' * 120}a.txt x", "write pipe x")
    async with stage.working():
        for count, line in enumerate(lines, 1):
            await world.send(session, line)
            await until(world, session, "turn.failed", count)
        await world.send(session, "say fine")
        await until(world, session, "turn.completed")
    assert all("refused the prompt" in one.error for one in await world.said(session, TurnFailed))
    assert len(await world.said(session, ProviderSessionLinked)) == 1


async def test_lines_end_where_they_do_for_the_program_and_other_sessions_of_its_are_not_heard(
    stage: Stage,
) -> None:
    world = stage.world
    session = await stage.session()
    await world.services.files.write(world.org, session, "a.txt", b"one\x0cstill one\ntwo\nthree")
    async with stage.working():
        await world.send(session, "line 2 a.txt\nhelper not for the log")
        await until(world, session, "turn.completed")
        await world.send(session, 'raw {"exit": 0}')
        await until(world, session, "turn.completed", 2)
    assert next(one.text for one in await world.said(session, MessageCompleted)) == "two\n"
    (result,) = await world.said(session, ToolCompleted)
    assert result.output == '{"exit": 0}'


async def test_what_a_client_put_into_the_area_is_laid_out_and_what_the_program_made_is_brought_in(
    stage: Stage,
) -> None:
    world = stage.world
    session = await stage.session()
    await world.services.files.write(world.org, session, "given.txt", b"from the client")
    async with stage.working():
        await world.send(session, "read given.txt")
        await until(world, session, "turn.completed")
        (stage.place(session) / "made.txt").write_text("by the program")
        await world.services.files.write(world.org, session, "given.txt", b"changed")
        await world.send(session, "read given.txt")
        await until(world, session, "turn.completed", 2)
    assert [one.text for one in await world.said(session, MessageCompleted)] == ["from the client", "changed"]
    files = {file.path: file.size for file in await world.store.reads.list_files(world.org, session)}
    assert files["made.txt"] == len("by the program")


async def test_what_the_program_removes_is_removed_from_the_area_and_a_lost_directory_removes_nothing(
    stage: Stage,
) -> None:
    world = stage.world
    session = await stage.session()

    async def area() -> set[str]:
        return {file.path for file in await world.store.reads.list_files(world.org, session)}

    await world.services.files.write(world.org, session, "old/name.txt", b"renamed by the program")
    await world.services.files.write(world.org, session, "kept.txt", b"kept")
    async with stage.working():
        await world.send(session, "say one")
        await until(world, session, "turn.completed")
        place = stage.place(session)
        (place / "old/name.txt").rename(place / "new.txt")
        await world.send(session, "say two")
        await until(world, session, "turn.completed", 2)
        assert await area() == {"kept.txt", "new.txt"}
        assert not (place / "old/name.txt").exists()
        shutil.rmtree(place)
        await world.send(session, "say three")
        # This program cannot do without it.
        await until(world, session, "turn.failed")
    assert await area() == {"kept.txt", "new.txt"} == {one.name for one in place.iterdir()}


async def test_cost_is_what_was_added_since_the_last_prompt(stage: Stage) -> None:
    world = stage.world
    session = await stage.session()
    async with stage.working():
        await world.send(session, "cost 0.25\nsay a")
        await until(world, session, "turn.completed")
        await world.send(session, "cost 0.75\nsay b")
        await until(world, session, "turn.completed", 2)
    used = [one.usage for one in await world.said(session, UsageRecorded)]
    assert [(one.cost_usd, one.output_tokens) for one in used] == [(Decimal("0.25"), 2), (Decimal("0.5"), 2)]


async def test_why_the_program_stopped_is_the_outcome_of_the_turn_and_it_is_there_for_the_next(
    stage: Stage,
) -> None:
    world = stage.world
    session = await stage.session()
    async with stage.working():
        for line in ("refuse", "run a\ntire", "run b\nfail", "say fine"):
            await world.send(session, line)
        await until(world, session, "turn.completed", 2)
    failed = await world.said(session, TurnFailed)
    assert [one.reason for one in failed] == ["no_progress", "error"]
    assert "the model is on fire" in failed[1].error
    assert [one.reason for one in await world.said(session, TurnCompleted)] == ["refused", "end_turn"]
    assert len(await world.said(session, ProviderSessionLinked)) == 1


async def test_a_steer_is_told_to_the_program_within_the_turn_and_a_queued_message_is_a_turn_of_its_own(
    stage: Stage,
) -> None:
    world = stage.world
    session = await stage.session()
    async with stage.working():
        await world.send(session, "ask a\nsay first")
        await until(world, session, "turn.waiting")
        await world.send(session, "say steered", "steer")
        await world.send(session, "say queued")
        await decide(world, session, Verdict("allow"))
        await until(world, session, "turn.completed", 2)
    assert stage.prompts(session) == [["ask a\nsay first", "say steered", "say queued"]]
    assert len(await world.said(session, TurnCompleted)) == 2


async def test_instructions_stand_before_the_first_prompt_of_a_programs_session(stage: Stage) -> None:
    world = stage.world
    session = await stage.session(spec={"instructions": "Be brief."})
    async with stage.working():
        await world.send(session, "say one")
        await until(world, session, "turn.completed")
        await world.send(session, "say two")
        await until(world, session, "turn.completed", 2)
    ((first, second),) = stage.prompts(session)
    assert first.startswith("Instructions for this whole session:\n\nBe brief.")
    assert second == "say two"
