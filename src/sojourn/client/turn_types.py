"""What a handler of turns sets and gets, and what an earlier worker left of its turn."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from sojourn.client.json import Json
from sojourn.client.worker_types import Entry, Said


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided of a question. `answer` is what came with it."""

    decision: Literal["allow", "deny", "answer"]
    answer: Json


@dataclass(slots=True)
class Usage:
    """What a message has cost. Set what is known of it; the session's budgets count it."""

    input_tokens: int = 0
    output_tokens: int = 0


@dataclass(slots=True)
class ToolRun:
    """A tool that is being run. Its result is the `output`, or the error that leaves the block."""

    output: str = ""


@dataclass(slots=True)
class OpenSteps:
    """What an earlier claim of the turn began and did not end."""

    call: int = 0
    message: str | None = None
    tools: dict[int, dict[str, Json]] = field(default_factory=dict[int, dict[str, Json]])

    def take(self, entry: Entry) -> None:
        data = entry.data
        match entry.type:
            case "model.called":
                self.call, self.message, self.tools = int(str(data["call"])), str(data["message"]), {}
            case "model.completed":
                self.message = None
            case "message.abandoned":
                self.call, self.message = self.call - 1, None
            case "tool.requested":
                self.tools[int(str(data["index"]))] = data
            case "tool.completed":
                self.tools.pop(int(str(data["index"])), None)
            case _:
                pass

    def closing(self) -> list[Said]:
        said: list[Said] = []
        if self.message is not None:
            said.append(Said(type="message.abandoned", data={"call": self.call, "message": self.message}))
        for tool in self.tools.values():
            names = {name: tool[name] for name in ("call", "index", "id", "name")}
            lost = {**names, "status": "unknown", "output": "worker lost"}
            said.append(Said(type="tool.completed", data=lost))
        return said


def decision_of(data: Mapping[str, Json]) -> Decision:
    match data["decision"]:
        case "allow" | "deny" | "answer" as decision:
            return Decision(decision, data.get("answer"))
        case other:
            raise ValueError(f"a decision that this client does not know: {other}")
