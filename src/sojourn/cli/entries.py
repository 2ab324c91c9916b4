"""One line for each entry of a log."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from sojourn.cli.screen import clock, console, json_line, one_line

if TYPE_CHECKING:
    from rich.text import Text

    from sojourn.client import Event
    from sojourn.client.types import Json

Data = Mapping[str, "Json"]

_STYLES: Final = {
    "session": "blue",
    "input": "cyan",
    "turn": "magenta",
    "message": "green",
    "model": "yellow",
    "tool": "yellow",
    "ask": "red",
    "thought": "green",
    "plan": "green",
    "provider_session": "blue",
    "usage": "yellow",
    "compaction": "yellow",
    "budget": "red",
    "lease": "blue",
    "file": "blue",
    "memory": "blue",
}
# Types that say everything by their names.
_SAY_ALL: Final = {"turn.queued", "turn.deferred", "turn.resumed"}
_TYPE_COLUMNS: Final = 18


def print_entry(event: "Event") -> None:
    """`seq  time  type  what`, aligned; `what` takes the rest of the line and is cut where it ends."""
    console().print(_entry_line(event), no_wrap=True, overflow="ellipsis", crop=True)


def _entry_line(event: "Event") -> "Text":
    from rich.text import Text

    family = event.type.partition(".")[0]
    style = "bold red" if event.type in {"turn.failed", "message.abandoned"} else _STYLES.get(family, "")
    return Text.assemble(
        (f"{event.seq:>5}  ", "bold"),
        (f"{clock(event.at)}  ", "dim"),
        (f"{one_line(event.type, 40):<{_TYPE_COLUMNS}}  ", style),
        one_line(summary(event)),
    )


def summary(event: "Event") -> str:
    """What the entry says besides its type. Of a type that is not known here, its data."""
    if event.type in _SAY_ALL:
        return ""
    words = _WORDS.get(event.type)
    if words is None or "blob" in event.data:
        return json_line(event.data)
    try:
        return words(event.data)
    except (KeyError, TypeError):
        # A later version of a type that we know: its data speaks for itself.
        return json_line(event.data)


def content_text(data: Data) -> str:
    """The text of an input's content."""
    parts = data["content"]
    if not isinstance(parts, list):
        raise TypeError("content")
    return "".join(str(part["text"]) for part in parts if isinstance(part, dict))


def _received(data: Data) -> str:
    delivery = "" if data["delivery"] == "queue" else f" ({data['delivery']})"
    return f"“{content_text(data)}”{delivery}"


def _usage(usage: "Json") -> str:
    if not isinstance(usage, dict):
        raise TypeError("usage")
    cost = "" if usage.get("cost_usd") is None else f" · ${usage['cost_usd']}"
    return f"{usage['input_tokens']} tokens in, {usage['output_tokens']} out{cost}"


def _model_completed(data: Data) -> str:
    simulated = " · simulated" if data.get("simulated") else ""
    return f"{data['finish_reason']} · {_usage(data['usage'])}{simulated}"


def _budget(data: Data) -> str:
    return f"{data['balance']} of {data['limit']} {data['currency']} left"


def _steps(steps: "Json") -> str:
    if not isinstance(steps, list):
        raise TypeError("steps")
    return " · ".join(str(step["content"]) for step in steps if isinstance(step, dict))


def _file(data: Data) -> str:
    what = "directory" if data["sha256"] is None else f"{data['size']} bytes"
    return f"{data['path']} · {what}" + (" (read-only)" if data.get("readonly") else "")


def _message(data: Data) -> str:
    return f"“{data['text']}”" + (" (interrupted)" if data.get("interrupted") else "")


def _optional(data: Data, *names: str) -> str:
    return " · ".join(str(data[name]) for name in names if data.get(name) is not None)


def asked(kind: str, prompt: "Json") -> str:
    """What an ask wants."""
    if not isinstance(prompt, dict):
        raise TypeError("prompt")
    if "question" in prompt:
        options = prompt.get("options")
        offered = f" {json_line(options)}" if options else ""
        return f"{kind}: {prompt['question']}{offered}"
    name = prompt.get("name")
    wanted = json_line(prompt) if name is None else f"{name} {json_line(prompt['arguments'])}"
    return f"{kind}: {wanted}"


def _by(data: Data, *words: object) -> str:
    """Who it was, behind what was done: a human, an agent, policy or a deadline."""
    by = data.get("by")
    who = f"by {by['kind']}" if isinstance(by, dict) and "kind" in by else None
    return " · ".join(str(word) for word in (*words, who) if word is not None)


def waits_for_budget(event: "Event") -> bool:
    """Whether the turn waits, and not for a decision."""
    return event.type == "turn.waiting" and event.data.get("asks") == []


def _waiting(data: Data) -> str:
    return f"{data['mode']}{'' if data['asks'] else ' · for a budget'}"


_WORDS: Final[Mapping[str, Callable[[Data], str]]] = {
    "session.created": lambda data: _optional(data, "title", "external_id", "origin"),
    "session.forked": lambda data: f"from {data['parent']} at event {data['at']}",
    "session.imported": lambda data: f"from {data['origin']} at event {data['at']}",
    "session.rewound": lambda data: f"to event {data['to']}",
    "session.trimmed": lambda data: f"begins at event {data['first_seq']} now",
    "session.ended": lambda data: _by(data, data["status"], data.get("reason")),
    "session.expired": lambda data: _by(data, data["reason"]),
    "session.reopened": _by,
    "input.received": _received,
    "input.edited": lambda data: f"“{content_text(data)}”",
    "input.moved": lambda data: f"before {data['before']}" if data["before"] else "to the end",
    "input.withdrawn": _by,
    "input.delivered": lambda data: f"before model call {data['call']}",
    "turn.started": lambda data: f"attempt {data['attempt']} · {data['worker']}",
    "turn.waiting": _waiting,
    "turn.retried": lambda data: f"fault {data['fault']}: {data['error']}",
    "turn.reclaimed": lambda data: f"{data['cause']} · {data['worker']}",
    "turn.completed": lambda data: str(data["reason"]),
    "turn.failed": lambda data: f"{data['reason']}: {data['error']}",
    "turn.cancelled": lambda data: _by(data, data["reason"]),
    "message.completed": _message,
    "message.abandoned": lambda data: f"call {data['call']} broke off",
    "model.called": lambda data: f"call {data['call']} · {data['model']}",
    "model.completed": _model_completed,
    "tool.requested": lambda data: f"{data['name']} {data['arguments']}",
    "tool.started": lambda data: f"#{data['index']} of call {data['call']}",
    "tool.denied": lambda data: f"#{data['index']} of call {data['call']} by the rule {data['rule']}",
    "tool.completed": lambda data: f"{data['name']} {data['status']}: {data['output']}",
    "ask.opened": lambda data: asked(str(data["kind"]), data["prompt"]),
    "ask.decided": lambda data: _by(data, data["decision"]),
    "usage.recorded": lambda data: f"{data['source']} · {_usage(data['usage'])}",
    "thought.recorded": lambda data: f"“{data['text']}”",
    "plan.changed": lambda data: _steps(data["steps"]),
    "provider_session.linked": lambda data: _optional(data, "agent", "provider_session", "reason"),
    "compaction.started": lambda data: str(data["model"]),
    "compaction.completed": lambda data: f"{data['messages']} messages: “{data['summary']}”",
    "budget.created": lambda data: f"{data['limit']} {data['currency']}",
    "budget.changed": lambda data: _by(data, data["status"], _budget(data)),
    "budget.warned": _budget,
    "budget.paused": _budget,
    "budget.exhausted": _budget,
    "budget.resumed": lambda data: _by(data, _budget(data)),
    "lease.acquired": lambda data: f"{data['kind']} {data['holder']}",
    "lease.released": lambda data: f"{data['kind']} {data['holder']}",
    "file.written": _file,
    "file.deleted": lambda data: str(data["path"]),
    "memory.written": lambda data: f"{data['path']} · {data['size']} bytes",
    "memory.deleted": lambda data: str(data["path"]),
}
