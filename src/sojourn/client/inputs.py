"""The verbs of the native API for inputs and their queue."""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import replace
from uuid import UUID

from sojourn.client.calls import Calls
from sojourn.client.json import Json
from sojourn.client.request import Request, if_match, optional, post
from sojourn.client.types import Delivery, Input, InputStatus, Page, Source


class InputCalls(Calls):
    """What is sent to a session."""

    async def send(
        self,
        session: UUID,
        text: str,
        delivery: Delivery = "queue",
        *,
        source: Source = "human",
        expected_seq: int | None = None,
        payload: Mapping[str, Json] | None = None,
        model: str | None = None,
        idempotency_key: str | None = None,
    ) -> Input:
        """Send a message. It reopens an ended session; Conflict if the session is archived.

        `source` is who speaks: in the queue a human goes before an agent, and an agent before a schedule.
        With `expected_seq`, Conflict too unless the log still ends at that seq. `payload` is what an agent behind HTTP
        is sent beside the text, `model` that of the turn which the message starts.
        """
        body: dict[str, object] = {"content": text, "delivery": delivery, "source": source}
        body |= {"payload": payload, "model": model}
        if expected_seq is not None:
            body["expected_seq"] = expected_seq
        return await self._transport.fetch(post(f"/sessions/{session}/inputs", body, idempotency_key), Input)

    def list_inputs(
        self, session: UUID, status: InputStatus | None = None, page_size: int = 100
    ) -> AsyncGenerator[Input, None]:
        params = [*optional("status", status), ("limit", str(page_size))]
        return self._all(f"/sessions/{session}/inputs", params, Page[Input])

    def list_queue(self, session: UUID, page_size: int = 100) -> AsyncGenerator[Input, None]:
        """The inputs that wait, in the order in which their turns will come."""
        return self._all(f"/sessions/{session}/queue", [("limit", str(page_size))], Page[Input])

    async def get_input(self, session: UUID, input: UUID) -> Input:
        return await self._transport.fetch(Request("GET", f"/sessions/{session}/inputs/{input}"), Input)

    async def edit_input(
        self, session: UUID, input: UUID, text: str, if_revision: int | None = None
    ) -> Input:
        """Conflict once a turn has read it."""
        path, body = f"/sessions/{session}/inputs/{input}", {"content": text}
        repeatable = if_revision is None
        request = Request("PATCH", path, (), body, if_match(if_revision), repeatable=repeatable)
        return await self._transport.fetch(request, Input)

    async def move_input(
        self, session: UUID, input: UUID, before: UUID | None = None, if_revision: int | None = None
    ) -> Input:
        """Put it directly before another queued input, or to the end. Conflict once a turn has read either."""
        body = {"before": None if before is None else str(before)}
        request = post(f"/sessions/{session}/inputs/{input}/move", body)
        headers = {**(request.headers or {}), **(if_match(if_revision) or {})}
        request = replace(request, headers=headers)
        return await self._transport.fetch(request, Input)

    async def withdraw_input(self, session: UUID, input: UUID, if_revision: int | None = None) -> None:
        """Conflict once a turn has read it."""
        path = f"/sessions/{session}/inputs/{input}"
        request = Request("DELETE", path, headers=if_match(if_revision), repeatable=False)
        await self._transport.perform(request)
