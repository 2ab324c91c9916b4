"""One app, asked for one session: what is sent to it, and what its answers mean."""

import asyncio
import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, cast

import msgspec

from sojourn import __version__
from sojourn.domain.content import Usage
from sojourn.domain.ids import SessionId
from sojourn.domain.runner_config.http import (
    REQUEST_HEADER,
    SESSION_HEADER,
    HttpConfig,
)
from sojourn.outgoing import AddressRefused, Answer, AnswerBroken, NotSent, Outgoing, Unanswered
from sojourn.runners.http.answers import NoJson, plain, read_json, read_value, whole
from sojourn.runners.http.sse import EventReader, SentEvent

PING_SECONDS: Final = 5.0
_PING_BYTES: Final = 64 * 1024
_ERROR_BYTES: Final = 16 * 1024
# What a stream in the manner of OpenAI's ends with.
_DONE: Final = b"[DONE]"
_PASSING: Final = frozenset({429, 503})
# A gateway's word that it does not know what became of the request.
_LOST: Final = frozenset({408, 502, 504})


# What the vendor takes as the id of a session.
_NAME: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_-]{32,255}")


class AppFailed(Exception):
    """The app says no, or cannot be understood; its one sentence is the turn's error."""


class AppUnavailable(Exception):
    """The app did not take the request: it may be sent again."""

    def __init__(self, problem: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(problem)
        self.retry_after_seconds = retry_after_seconds


class AppLost(Exception):
    """The app may have taken the request, and what became of it is not known."""


@dataclass(frozen=True, slots=True)
class Health:
    """What `/ping` says. `changed_at` is when the app's status last changed, None if it does not say."""

    is_busy: bool
    changed_at: datetime | None = None


@dataclass(slots=True)
class Heard:
    """An answer in the making. `place` is where the first text of a stream was found, and later ones are looked for.

    Frameworks say the same text several times: as the model's own event, as their own, and whole at the end.
    """

    usage: Usage | None = None
    place: str | None = None
    is_settled: bool = False
    last: Any = None
    _texts: list[str] = field(default_factory=list[str])

    @property
    def text(self) -> str:
        return "".join(self._texts)

    def take(self, value: Any) -> str:
        """The text that `value` adds. AppFailed where it is an error."""
        said = read_value(value)
        self.usage = said.usage or self.usage
        if said.error is not None:
            raise AppFailed(said.error)
        if said.text is None:
            self.last = value
            return ""
        if not self.is_settled:
            self.place, self.is_settled = said.place, True
        if said.place != self.place:
            return ""
        self._texts.append(said.text)
        return said.text

    def close(self) -> str:
        """The text that the end adds: an answer without any is given as it is."""
        if self.is_settled or self.last is None:
            return ""
        self._texts.append(whole(self.last))
        return self.text


class App:
    """`session` is the session's name in the app's eyes; `headers` are those that its agent names."""

    def __init__(
        self, outgoing: Outgoing, config: HttpConfig, session: str, headers: Mapping[str, str]
    ) -> None:
        self._outgoing = outgoing
        self._config = config
        self._session = session
        self._own_headers = headers

    async def ping(self) -> Health:
        """Unanswered without an answer in time. An app that answers anything but a status is not busy."""
        try:
            async with (
                asyncio.timeout(PING_SECONDS),
                self._outgoing.ask("GET", f"{self._config.url}/ping", self._headers()) as answer,
            ):
                body, _ = await answer.read(_PING_BYTES)
        except TimeoutError:
            raise AnswerBroken(f"no answer within {PING_SECONDS:g} s") from None
        return _health(body) if answer.status == 200 else Health(is_busy=False)

    async def invoke(self, body: bytes, request: str, heard: Heard) -> AsyncGenerator[str]:
        """The texts of the answer as they come. `heard` has it all at the end. AppFailed, AppUnavailable, AppLost."""
        headers = {
            **self._headers(),
            "content-type": "application/json",
            "accept": "text/event-stream, application/json;q=0.9, */*;q=0.1",
            REQUEST_HEADER: request,
        }
        try:
            async with (
                self._outgoing.ask("POST", f"{self._config.url}/invocations", headers, body) as answer,
                aclosing(self._read(answer, heard)) as texts,
            ):
                async for text in texts:
                    yield text
        except AddressRefused as error:
            raise AppFailed(f"The app must not be asked: {error}.") from error
        except NotSent as error:
            raise AppUnavailable(f"The app cannot be reached: {error}.") from error
        except Unanswered as error:
            raise AppLost(f"The app's answer was lost: {error}.") from error

    async def _read(self, answer: Answer, heard: Heard) -> AsyncGenerator[str]:
        if not 200 <= answer.status < 300:
            await self._refused(answer)
        if answer.content_type == "text/event-stream":
            async with aclosing(self._stream(answer, heard)) as texts:
                async for text in texts:
                    yield text
        else:
            await self._take_whole(answer, heard)
        end = heard.close()
        if end:
            yield end

    async def _stream(self, answer: Answer, heard: Heard) -> AsyncGenerator[str]:
        reader, size = EventReader(), 0
        async with aclosing(answer.chunks()) as chunks:
            async for chunk in chunks:
                size += len(chunk)
                if size > self._config.max_answer_bytes:
                    raise AppFailed(self._too_large())
                for event in reader.feed(chunk):
                    if event.data == _DONE:
                        continue
                    text = heard.take(_value(event))
                    if text:
                        yield text

    async def _take_whole(self, answer: Answer, heard: Heard) -> None:
        body, is_all = await answer.read(self._config.max_answer_bytes)
        if not is_all:
            raise AppFailed(self._too_large())
        kind = answer.content_type
        if kind.startswith("text/"):
            heard.take(body.decode("utf-8", "replace"))
        elif kind in {"", "application/json"} or kind.endswith("+json"):
            try:
                heard.take(read_json(body))
            except NoJson:
                raise AppFailed("The app's answer is not JSON.") from None
        else:
            raise AppFailed(f"The app answered with {plain(kind)[:100]}, which is no text.")

    def _too_large(self) -> str:
        return f"The app's answer is larger than {self._config.max_answer_bytes} bytes."

    async def _refused(self, answer: Answer) -> None:
        """Raise what an answer without success means."""
        try:
            async with asyncio.timeout(PING_SECONDS):
                body, _ = await answer.read(_ERROR_BYTES)
        except (Unanswered, TimeoutError):
            body = b""
        problem = (
            f"The app answered {answer.status}: {_reason(body)}"
            if body
            else f"The app answered {answer.status}."
        )
        if answer.status in _PASSING:
            raise AppUnavailable(problem, _retry_after(answer.headers))
        raise AppLost(problem) if answer.status in _LOST else AppFailed(problem)

    def _headers(self) -> dict[str, str]:
        return {"user-agent": f"sojourn/{__version__}", SESSION_HEADER: self._session, **self._own_headers}


def _value(event: SentEvent) -> Any:
    """Apps send JSON; what is none is a piece of text, as it stands."""
    try:
        value = read_json(event.data)
    except NoJson:
        value = event.data.decode("utf-8", "replace")
    if event.name == "error" and isinstance(value, str):
        return {"error": value or "The app's stream says error."}
    return value


def _health(body: bytes) -> Health:
    try:
        said: Any = read_json(body)
    except NoJson:
        return Health(is_busy=False)
    if not isinstance(said, dict):
        return Health(is_busy=False)
    values = cast(dict[str, Any], said)
    changed: Any = values.get("time_of_last_update")
    changed_at = None
    if isinstance(changed, int) and 0 < changed < 2**33:
        changed_at = datetime.fromtimestamp(changed, UTC)
    return Health(values.get("status") == "HealthyBusy", changed_at)


def _reason(body: bytes) -> str:
    try:
        said = read_value(read_json(body))
    except NoJson:
        return plain(body[:500].decode("utf-8", "replace"))
    return said.error or said.text or plain(body[:500].decode("utf-8", "replace"))


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """In seconds. A date is read by the app's own clock if its `Date` tells: ours may think otherwise."""
    value = headers.get("retry-after", "")
    if value.isdecimal() and len(value) < 8:
        return float(value)
    try:
        now = parsedate_to_datetime(headers["date"]) if "date" in headers else datetime.now(UTC)
        wait = parsedate_to_datetime(value) - now
    except (TypeError, ValueError):
        return None
    return max(wait.total_seconds(), 0.0)


def session_name(session: SessionId, alias: str | None) -> str:
    """What the app knows the session by: the name that it was invoked by, else its id."""
    return alias if alias is not None and _NAME.fullmatch(alias) else str(session)


def request_body(config: HttpConfig, prompt: str, beside: str | None = None) -> bytes:
    """The prompt with what was sent `beside` it, a JSON object; the agent's own fields stand behind those.

    Where nobody said that there is such a thing, a prompt that is a JSON object may be all of the payload.
    """
    if config.shape == "json" and beside is None:
        try:
            given: Any = read_json(prompt.encode("utf-8", "replace"))
        except NoJson:
            given = None
        if isinstance(given, dict):
            return msgspec.json.encode({**config.payload, **cast(dict[str, Any], given)})
    # As it was written: numbers and all.
    sent = {} if beside is None else msgspec.json.decode(beside, type=dict[str, msgspec.Raw])
    return msgspec.json.encode({**config.payload, **sent, config.prompt_field: prompt})
