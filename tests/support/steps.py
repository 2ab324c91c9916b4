"""The steps of one turn, as its log tells them: calls, tool requests, starts and results."""

from collections.abc import Iterator

from sojourn.domain import events as e
from sojourn.domain.ids import AskId

Key = tuple[int, int]


class Steps:
    def __init__(self) -> None:
        self._open: e.ModelCalled | None = None
        self._is_said = False
        self._answered = 0
        self._requested: dict[Key, e.ToolRequested] = {}
        self._started: set[Key] = set()
        self._ever_started: set[Key] = set()
        self._completed: set[Key] = set()
        self._asked: dict[AskId, Key] = {}
        self._decided: set[Key] = set()

    def new_claim(self) -> None:
        """A new holder may start again what an older one started and did not finish."""
        self._started.clear()

    def take(self, event: e.Event) -> Iterator[str]:
        """What is wrong with this event after those before."""
        match event:
            case e.ModelCalled():
                yield from self._call(event)
            case e.MessageCompleted(message=message) | e.MessageAbandoned(message=message):
                if self._open is None or self._open.message != message:
                    yield "ends a message that was not being written"
                self._is_said = isinstance(event, e.MessageCompleted)
                if isinstance(event, e.MessageAbandoned) or event.interrupted:
                    self._open = None
            case e.ModelCompleted(call=call):
                if self._open is None or self._open.call != call:
                    yield "is the answer of a call that was not open"
                self._open, self._answered = None, call
            case e.ToolDenied(call=call, index=index):
                yield from self._deny((call, index))
            case e.ToolRequested() | e.ToolStarted() | e.ToolCompleted():
                yield from self._tool((event.call, event.index), event)
            case _:
                return

    def ask(self, opened: e.AskOpened) -> Iterator[str]:
        """Of a tool call that waits for somebody, its ask; it is no step by itself."""
        match opened.prompt:
            case {"call": int(call), "index": int(index)}:
                key = (call, index)
            case _:
                return
        if key not in self._requested or key in self._completed | self._started:
            yield f"asks about tool {key}, which does not wait to be started"
        if key in self._asked.values():
            yield f"asks about tool {key} again"
        self._asked[opened.ask] = key

    def decide(self, ask: AskId) -> None:
        if ask in self._asked:
            self._decided.add(self._asked[ask])

    def _deny(self, key: Key) -> Iterator[str]:
        if key not in self._requested or key in self._completed | self._ever_started:
            yield f"denies tool {key}, which does not wait to be started"
        self._decided.add(key)

    def _call(self, event: e.ModelCalled) -> Iterator[str]:
        if self._open is not None:
            yield "calls a model while a call is open"
        if event.call != self._answered + 1:
            yield f"is call {event.call} behind answer {self._answered}"
        for key in self._requested.keys() - self._completed:
            yield f"calls a model before tool {key} has its result"
        self._open, self._is_said = event, False

    def _tool(self, key: Key, event: e.ToolRequested | e.ToolStarted | e.ToolCompleted) -> Iterator[str]:
        if isinstance(event, e.ToolRequested):
            if key in self._requested or event.call != self._answered:
                yield f"requests tool {key} again, or without an answer"
            self._requested[key] = event
            return
        requested = self._requested.get(key)
        if requested is None:
            yield f"is a {event.type} of tool {key}, which nobody requested"
        elif key in self._completed:
            yield f"is a {event.type} of tool {key}, which has its result"
        elif isinstance(event, e.ToolStarted):
            if key in self._asked.values() and key not in self._decided:
                yield f"starts tool {key}, of which nobody has decided"
            if key in self._started:
                yield f"starts tool {key} twice in one claim"
            self._started.add(key)
            self._ever_started.add(key)
        else:
            if (event.id, event.name) != (requested.id, requested.name):
                yield f"gives tool {key} the result of another"
            if event.status in ("done", "error") and key not in self._ever_started | self._decided:
                yield f"gives tool {key} a result without a start or a decision"
            self._completed.add(key)

    def unfinished(self, is_fork: bool = False) -> Iterator[str]:
        """What a turn that ends here leaves open. A fork may fall between a message and the end of its call."""
        if self._open is not None and not (is_fork and self._is_said):
            yield f"ends a turn during call {self._open.call}"
        for key in self._requested.keys() - self._completed:
            yield f"ends a turn before tool {key} has its result"
