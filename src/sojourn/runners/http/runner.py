"""A turn of an agent behind HTTP: one invocation of its app, announced and answered as one model call.

An invocation whose outcome is not known, because the worker or the connection was lost, is not repeated unless the
agent declares that its app may be asked twice.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import aclosing
from typing import Final
from uuid import uuid5

from sojourn.domain.content import Message, Usage
from sojourn.domain.errors import InvalidRequest
from sojourn.domain.events import (
    MessageAbandoned,
    MessageCompleted,
    ModelCalled,
    ModelCompleted,
    RunnerEvent,
)
from sojourn.domain.fold import CallModel
from sojourn.domain.ids import MessageId, uuid7
from sojourn.domain.runner_config.http import HttpConfig, read_http
from sojourn.outgoing import AddressRefused, Outgoing, Unanswered
from sojourn.ports.endings import Faulted, Settled
from sojourn.ports.turns import Journal
from sojourn.ports.vault import SecretSource
from sojourn.runners.backoff import backoff
from sojourn.runners.http.app import (
    App,
    AppFailed,
    AppLost,
    AppUnavailable,
    Heard,
    request_body,
    session_name,
)
from sojourn.runners.revealing import SecretUnusable, revealed_headers

log = logging.getLogger(__name__)

PROVIDER: Final = "http"
FIRST_LOOK_SECONDS: Final = 0.05
LONGEST_LOOK_SECONDS: Final = 1.0
LAST_LOOK_SECONDS: Final = 2.0
WORKER_LOST: Final = (
    "The worker was lost while the app worked. Whether the app finished is not known, and its agent does not say that"
    " it may be asked twice (`idempotent`)."
)


class HttpRunner:
    """`secrets` has what the headers of agents refer to."""

    def __init__(self, outgoing: Outgoing, secrets: SecretSource) -> None:
        self._outgoing = outgoing
        self._secrets = secrets

    async def run(self, journal: Journal) -> Settled | Faulted:
        try:
            config = read_http(journal.turn.agent.spec.runner_config)
        except InvalidRequest as error:
            return Settled(events=(), reason="error", error=f"The agent cannot be run: {error}")
        step = journal.conversation.progress.next_step()
        if not isinstance(step, CallModel):
            # Its answer is in the log already.
            await journal.append(())
            return Settled(events=())
        voided = () if step.abandoned is None else (step.abandoned,)
        if voided and not config.idempotent:
            return Settled(events=voided, reason="error", error=WORKER_LOST)
        turn = journal.turn
        try:
            headers = await revealed_headers(self._secrets, turn.org, config.headers)
        except SecretUnusable as error:
            return Settled(events=voided, reason="error", error=str(error))
        app = App(self._outgoing, config, session_name(turn.session, turn.alias), headers)
        return await _Invocation(journal, config, app, step.call).carry_out(voided)


class _Invocation:
    def __init__(self, journal: Journal, config: HttpConfig, app: App, call: int) -> None:
        self._journal = journal
        self._config = config
        self._app = app
        self._call = call
        self._message = MessageId(uuid7())
        self._model = f"{PROVIDER}/{journal.turn.agent.spec.name}"

    async def carry_out(self, voided: Sequence[RunnerEvent]) -> Settled | Faulted:
        try:
            await self._reach()
        except AppFailed as error:
            return Settled(events=voided, reason="error", error=str(error))
        intent = ModelCalled(call=self._call, model=self._model, message=self._message)
        await self._journal.append(voided, (intent,))
        heard = Heard()
        try:
            async with asyncio.timeout(self._config.timeout_seconds):
                await self._invoke(heard)
        except AppFailed as error:
            return self._failed(str(error))
        except AppUnavailable as error:
            return self._faulted(str(error), error.retry_after_seconds)
        except AppLost as error:
            return self._lost(str(error))
        except TimeoutError:
            return self._lost(f"The app did not answer within {self._config.timeout_seconds:g} s.")
        await self._look_back()
        return Settled(events=self._answer(heard))

    async def _reach(self) -> None:
        """Wait for an app that is still starting. AppFailed when its time is up."""
        problem, wait = "", FIRST_LOOK_SECONDS
        try:
            async with asyncio.timeout(self._config.start_seconds):
                while True:
                    try:
                        await self._app.ping()
                    except AddressRefused as error:
                        raise AppFailed(f"The app must not be asked: {error}.") from error
                    except Unanswered as error:
                        problem = str(error)
                    else:
                        return
                    await asyncio.sleep(wait)
                    wait = min(wait * 2, LONGEST_LOOK_SECONDS)
        except TimeoutError:
            pass
        raise AppFailed(
            f"The app could not be reached within {self._config.start_seconds:g} s: {problem or 'no answer'}."
        )

    async def _invoke(self, heard: Heard) -> None:
        messages = self._journal.conversation.messages
        said = next(
            (message for message in reversed(messages) if message.role == "user"), Message("user", ())
        )
        body = request_body(self._config, said.text, said.payload)
        # The same at each try of one call, so that an app that may be asked twice can tell.
        request = str(uuid5(self._journal.turn.turn, f"call {self._call}"))
        offset = 0
        async with aclosing(self._app.invoke(body, request, heard)) as texts:
            async for text in texts:
                self._journal.preview(self._message, offset, text)
                offset += len(text)

    async def _look_back(self) -> None:
        """An app notes at a look that it goes on in the background, and so can say later when that came to its end."""
        try:
            async with asyncio.timeout(LAST_LOOK_SECONDS):
                await self._app.ping()
        except (Unanswered, AppFailed, TimeoutError) as error:
            log.info("the app of turn %s was not seen after its answer: %s", self._journal.turn.turn, error)

    def _answer(self, heard: Heard) -> tuple[RunnerEvent, ...]:
        return (
            MessageCompleted(message=self._message, call=self._call, text=heard.text),
            ModelCompleted(
                call=self._call,
                model=self._model,
                provider=PROVIDER,
                usage=heard.usage or Usage(),
                finish_reason="stop",
            ),
        )

    def _void(self) -> tuple[RunnerEvent, ...]:
        return (MessageAbandoned(message=self._message, call=self._call),)

    def _failed(self, error: str) -> Settled:
        return Settled(events=self._void(), reason="error", error=error)

    def _faulted(self, error: str, hint_seconds: float | None = None) -> Faulted:
        delay = backoff(self._journal.turn.faults, hint_seconds)
        return Faulted(events=self._void(), error=error, delay_seconds=delay)

    def _lost(self, error: str) -> Settled | Faulted:
        if self._config.idempotent:
            return self._faulted(error)
        return self._failed(f"{error} Whether it has done its work is not known.")
