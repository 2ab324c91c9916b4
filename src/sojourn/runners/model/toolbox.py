"""The tools of one turn: those that run here, and those that a client carries out while the turn is parked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from sojourn.domain.agent import AgentSpec
from sojourn.domain.ask import NewAsk, client_result, prompt_of
from sojourn.domain.events import Json, ToolCompleted, ToolRequested
from sojourn.domain.fold import DecidedTool
from sojourn.domain.ids import AskId, uuid7
from sojourn.runners.model.client import ToolSpec
from sojourn.runners.model.tools import Tool

_decode_object: Final = msgspec.json.Decoder(dict[str, Json]).decode


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be done about the tool calls of one answer: `run` some here, and put `asks` about the others.

    `known` are results that need no work any more.
    """

    run: Sequence[ToolRequested]
    asks: Sequence[NewAsk] = ()
    known: Sequence[ToolCompleted] = ()


class Toolbox:
    """Where a client tool and one of ours have the same name, the client's stands."""

    def __init__(self, spec: AgentSpec, toolsets: Mapping[str, Sequence[Tool]]) -> None:
        self._of_clients = {
            tool.name: ToolSpec(tool.name, tool.description, tool.parameters) for tool in spec.client_tools
        }
        ours = {tool.spec.name: tool for name in spec.tools for tool in toolsets.get(name, ())}
        self._ours = {name: tool for name, tool in ours.items() if name not in self._of_clients}

    @property
    def specs(self) -> tuple[ToolSpec, ...]:
        return (*(tool.spec for tool in self._ours.values()), *self._of_clients.values())

    def find(self, name: str) -> Tool | None:
        return self._ours.get(name)

    def is_repeatable(self, request: ToolRequested) -> bool:
        tool = self._ours.get(request.name)
        return tool is not None and tool.repeatable

    def sort(self, requests: Sequence[ToolRequested], decided: Sequence[DecidedTool] = ()) -> Work:
        """`requests` were not started yet; `decided` have their decisions."""
        run: list[ToolRequested] = []
        asks: list[NewAsk] = []
        for request in requests:
            arguments = self._for_a_client(request)
            if arguments is None:
                run.append(request)
            else:
                prompt = prompt_of(request, arguments)
                asks.append(NewAsk(id=AskId(uuid7()), kind="client_tool", prompt=prompt))
        return Work(run, asks, [client_result(one.tool, one.decided) for one in decided])

    def _for_a_client(self, request: ToolRequested) -> dict[str, Json] | None:
        """The arguments of a call that a client can carry out. A call without sound ones fails here."""
        return object_of(request.arguments) if request.name in self._of_clients else None

    def refusal(self, request: ToolRequested) -> str:
        """Why a call of no tool of ours fails."""
        if request.name in self._of_clients:
            return "The arguments are not a JSON object."
        return f"There is no tool {request.name}."


def object_of(text: str) -> dict[str, Json] | None:
    """The JSON object that a model wrote, None if it is none."""
    try:
        return _decode_object(text or "{}")
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return None
