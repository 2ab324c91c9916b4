# Made from src/sojourn/client/turn.py by scripts/twin; change that one.
"""A claimed turn in the hands of whoever runs it: what it is about, and the ways to say what is done."""

import json
import logging
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Literal
from uuid import UUID, uuid4

from sojourn.client.errors import LeaseLost, Problem, SojournError
from sojourn.client.json import Json
from sojourn.client.memory_types import Memory, MemoryEntry, MemoryLine
from sojourn.client.sync.worker_calls import WorkerCalls
from sojourn.client.turn_types import Decision, OpenSteps, ToolRun, Usage, decision_of
from sojourn.client.worker_types import ClaimedTurn, Message, NewAsk, Said, StoppedTurn

log = logging.getLogger(__name__)

_WAIT_SECONDS = 20


class MessageWriter:
    """A message that is being written. Whoever follows the session reads along."""

    def __init__(self, client: WorkerCalls, turn: "Turn", id: UUID) -> None:
        self._client = client
        self._turn = turn
        self.id = id
        self.text = ""
        self.usage = Usage()

    def write(self, text: str) -> None:
        self._turn.check()
        if not text:
            return
        offset, self.text = len(self.text), self.text + text
        try:
            self._client.preview(self._turn.claimed.claim, self.id, offset, text)
        except SojournError as error:
            # A preview that does not arrive is nobody's loss; a lost lease is told by the next report.
            log.debug("a preview was not shown: %s", error)


class Turn:
    """What a handler gets. Every method raises LeaseLost once the turn is not this worker's any more.

    The worker sets `stopped` once it is so, or once the worker itself ends: code that runs in a thread sees it there.
    """

    def __init__(self, client: WorkerCalls, claimed: ClaimedTurn) -> None:
        self._client = client
        self._call = 0
        self._tools = 0
        self._has_spoken = False
        # What is done and not yet written: it goes with what begins next, or with the end.
        self._done: list[Said] = []
        self.claimed = claimed
        self.stopped = False

    def check(self) -> None:
        """Raise LeaseLost if the turn was stopped; for code that says nothing for a while."""
        if self.stopped:
            raise LeaseLost(409, Problem(detail="The turn was stopped.", code="lease_lost"))

    def is_meant_by(self, stop: StoppedTurn) -> bool:
        return self.claimed.session == stop.session and stop.turn in (None, self.claimed.turn)

    @property
    def text(self) -> str:
        """What the turn was sent."""
        return "".join(part.text for part in self.claimed.input.content)

    def messages(self) -> list[Message]:
        """The conversation so far, this turn's own messages included."""
        self._flush()
        return (self._client.conversation(self.claimed.claim)).messages

    def say(self, text: str) -> None:
        with self.message() as message:
            message.write(text)

    @contextmanager
    def message(self) -> Generator[MessageWriter, None]:
        """A message to be written piece by piece; it is whole where the block ends."""
        writer = MessageWriter(self._client, self, uuid4())
        agent = self.claimed.agent
        call = {"call": self._call + 1, "model": agent.model or agent.name, "message": writer.id}
        self._report([Said(type="model.called", data=call)], steers_before=self._call + 1)
        self._call, self._tools, self._has_spoken = self._call + 1, 0, True
        place = {"call": self._call, "message": writer.id}
        try:
            yield writer
        except BaseException:
            self._done.append(Said(type="message.abandoned", data=place))
            self._call -= 1
            raise
        self._done.append(Said(type="message.completed", data={**place, "text": writer.text}))
        usage = {
            "input_tokens": writer.usage.input_tokens,
            "output_tokens": writer.usage.output_tokens,
        }
        answer = {"model": call["model"], "provider": "external", "usage": usage, "finish_reason": "stop"}
        self._done.append(Said(type="model.completed", data={"call": self._call, **answer}))

    @contextmanager
    def tool(self, name: str, arguments: Mapping[str, Json]) -> Generator[ToolRun, None]:
        """Run a tool in the block: the log says that it begins before it does, and what came of it."""
        if not self._has_spoken:
            # A tool belongs to a message that asked for it, and one of an earlier claim has its own.
            self.say("")
        place = {"call": self._call, "index": self._tools, "id": uuid4().hex, "name": name}
        self._done.append(Said(type="tool.requested", data={**place, "arguments": json.dumps(arguments)}))
        self._tools += 1
        start = {"call": place["call"], "index": place["index"]}
        self._report([Said(type="tool.started", data=start)])
        run, status = ToolRun(), "done"
        try:
            yield run
        except Exception as error:
            run.output, status = str(error) or type(error).__name__, "error"
            raise
        except BaseException:
            run.output, status = "The tool was stopped.", "cancelled"
            raise
        finally:
            self._done.append(
                Said(type="tool.completed", data={**place, "status": status, "output": run.output})
            )

    def ask(
        self,
        prompt: Mapping[str, Json],
        kind: Literal["question", "approval"] = "question",
        timeout_seconds: float | None = None,
    ) -> Decision:
        """Ask whoever follows the session, and wait for the decision, for as long as that takes."""
        self._flush()
        seq = (self._client.conversation(self.claimed.claim)).seq
        id = uuid4()
        new = NewAsk(id=id, kind=kind, prompt=prompt, timeout_seconds=timeout_seconds)
        self._client.wait_for_asks(self.claimed.claim, [new], "held")
        while True:
            self.check()
            for entry in self._client.entries(self.claimed.claim, seq, _WAIT_SECONDS):
                seq = entry.seq
                if entry.type == "ask.decided" and entry.data["ask"] == str(id):
                    return decision_of(entry.data)

    def list_files(self) -> dict[str, int]:
        """The sizes of the session's files in bytes, by their paths."""
        return {file.path: file.size for file in self._client.list_turn_files(self.claimed.claim)}

    def read_file(self, path: str) -> bytes:
        """NotFound if there is none."""
        return self._client.read_turn_file(self.claimed.claim, path)

    def write_file(self, path: str, data: bytes) -> None:
        self._client.write_turn_file(self.claimed.claim, path, data)

    def delete_file(self, path: str) -> None:
        """NotFound if there is none."""
        self._client.delete_turn_file(self.claimed.claim, path)

    def list_memories(self, directory: str = "") -> list[MemoryEntry]:
        """What the agent remembers from its other sessions."""
        return self._client.list_turn_memories(self.claimed.claim, directory)

    def read_memory(self, path: str) -> Memory:
        """NotFound if there is none."""
        return self._client.read_turn_memory(self.claimed.claim, path)

    def search_memories(self, query: str) -> list[MemoryLine]:
        return self._client.search_turn_memories(self.claimed.claim, query)

    def write_memory(self, path: str, text: str, *, if_sha256: str | None = None) -> None:
        """Remember a text for the agent's later sessions, in place of the text of that digest if one is given."""
        self._client.write_turn_memory(self.claimed.claim, path, text, if_sha256=if_sha256)

    def delete_memory(self, path: str) -> None:
        """NotFound if there is none."""
        self._client.delete_turn_memory(self.claimed.claim, path)

    def recover(self) -> None:
        """Close what an earlier claim of this turn left open: its worker is gone, and this one begins anew."""
        found, seq = OpenSteps(), 0
        while page := self._client.entries(self.claimed.claim, seq):
            for entry in page:
                if entry.turn == self.claimed.turn:
                    found.take(entry)
            seq = page[-1].seq
        self._done.extend(found.closing())
        self._call = found.call - (found.message is not None)

    def settle(self, error: str | None = None) -> None:
        """End the turn. What is done and not yet written goes with it."""
        done, self._done = self._done, []
        self._client.settle_turn(self.claimed.claim, done, error=error)

    def _flush(self) -> None:
        if self._done:
            self._report([])

    def _report(self, intents: Sequence[Said], steers_before: int | None = None) -> None:
        self.check()
        done, self._done = self._done, []
        self._client.report(self.claimed.claim, done, intents, steers_before=steers_before)
