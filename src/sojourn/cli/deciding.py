"""What is typed about an ask, and the decision that it means."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from sojourn.cli.screen import one_line

if TYPE_CHECKING:
    from sojourn.client.ask_types import Decided
    from sojourn.client.types import Json

# What a person is asked, by the kind of the ask; the other kinds are decided by what they wait for.
MARKS: Final[Mapping[str, str]] = {
    "approval": "allow? [y]es, [a]lways in this session, [n]o REASON, [e]dited {…}, Enter leaves it open > ",
    "question": "your answer, or its number (/deny REASON, Enter leaves it open) > ",
    "client_tool": "its result (/error TEXT, /deny REASON, Enter leaves it open) > ",
}


class NotUnderstood(Exception):
    """What was typed is no decision; the text says what is."""


def read_decision(kind: str, prompt: "Mapping[str, Json]", typed: str) -> "Decided":
    """The decision that the line means. Raises NotUnderstood."""
    word, _, rest = typed.strip().partition(" ")
    if word == "/deny":
        return denial(rest)
    if kind == "approval":
        return _approval(word.lower(), rest)
    if word == "/error" and kind == "client_tool":
        return {"decision": "answer", "error": rest or "The tool failed."}
    return {"decision": "answer", "answer": _chosen(prompt, typed.strip())}


def denial(reason: str) -> "Decided":
    return {"decision": "deny", "answer": {"reason": reason}} if reason.strip() else {"decision": "deny"}


def edited(arguments: str) -> "Decided":
    """Allowed with other arguments than the model's: a JSON object."""
    try:
        value = json.loads(arguments)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise NotUnderstood("The arguments of a tool are a JSON object.")
    return {"decision": "allow", "answer": {"arguments": value}}


def options(prompt: "Mapping[str, Json]") -> list[str]:
    """The answers that a question offers, numbered."""
    offered = prompt.get("options")
    if not isinstance(offered, list):
        return []
    return [f"  {number}. {one_line(str(option), 200)}" for number, option in enumerate(offered, 1)]


def _approval(word: str, rest: str) -> "Decided":
    match word:
        case "y" | "yes":
            return {"decision": "allow"}
        case "a" | "always":
            return {"decision": "allow", "always": True}
        case "n" | "no":
            return denial(rest)
        case "e" | "edited":
            return edited(rest)
        case _:
            raise NotUnderstood("y allows it, a always, n denies it, e {…} allows it with these arguments.")


def _chosen(prompt: "Mapping[str, Json]", typed: str) -> "Json":
    offered = prompt.get("options")
    if isinstance(offered, list) and typed.isascii() and typed.isdigit() and 1 <= int(typed) <= len(offered):
        return offered[int(typed) - 1]
    return typed
