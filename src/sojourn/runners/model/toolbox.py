"""The tools of one turn: those that run here, and those that a client carries out while the turn is parked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from sojourn.domain.agent import AgentSpec
from sojourn.domain.ask import (
    Decision,
    NewAsk,
    as_allowed,
    client_result,
    denial,
    prompt_of,
    session_result,
    tool_result,
)
from sojourn.domain.events import RunnerEvent, ToolDenied, ToolRequested
from sojourn.domain.fold import DecidedTool
from sojourn.domain.ids import AskId, uuid7
from sojourn.domain.kinds import AskKind, Json
from sojourn.domain.tool_policy import OnExpire, OnLost, ToolRule, expiry_for, on_lost_for, rule_for
from sojourn.runners.model.client import ToolSpec
from sojourn.runners.model.tools import Tool

_decode_object: Final = msgspec.json.Decoder(dict[str, Json]).decode


WORKER_LOST: Final = "worker lost"


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be done about the tool calls of one answer: `run` some here, and put `asks` about others.

    `known` says what became of those that need no work any more.
    """

    run: list[ToolRequested] = field(default_factory=list[ToolRequested])
    asks: list[NewAsk] = field(default_factory=list[NewAsk])
    known: list[RunnerEvent] = field(default_factory=list[RunnerEvent])


class Toolbox:
    """Where a client tool and one of ours have the same name, the client's stands. `opened` are those of servers.

    The rule `ask` is about tools that run here: who carries out a client tool, or answers a question, is asked anyway.
    """

    def __init__(
        self, spec: AgentSpec, toolsets: Mapping[str, Sequence[Tool]], opened: Sequence[Tool] = ()
    ) -> None:
        self._of_clients = {
            tool.name: ToolSpec(tool.name, tool.description, tool.parameters) for tool in spec.client_tools
        }
        kinds = (*spec.tools, *(capability.kind for capability in spec.capabilities.values()))
        ours = {tool.spec.name: tool for kind in kinds for tool in toolsets.get(kind, ())}
        ours = {**{tool.spec.name: tool for tool in opened}, **ours}
        self._ours = {name: tool for name, tool in ours.items() if name not in self._of_clients}
        self._policy = spec.tool_policy
        self._timeout_seconds = spec.ask_timeout_seconds
        self._on_expire: OnExpire = spec.on_ask_expire

    @property
    def specs(self) -> tuple[ToolSpec, ...]:
        return (*(tool.spec for tool in self._ours.values()), *self._of_clients.values())

    def find(self, name: str) -> Tool | None:
        return self._ours.get(name)

    def sort(self, requests: Sequence[ToolRequested], decided: Sequence[DecidedTool] = ()) -> Work:
        """`requests` were not started yet; `decided` have their decisions."""
        work = Work()
        for request in requests:
            self._sort_new(request, work)
        for one in decided:
            if one.kind == "session":
                work.known.append(session_result(one.tool, one.decided))
            elif one.kind != "approval":
                work.known.append(client_result(one.tool, one.decided))
            elif one.decided.decision == "allow":
                self._sort_allowed(as_allowed(one.tool, one.decided), work)
            elif one.is_lost:
                # Not to run it again says nothing of whether it ran.
                work.known.append(tool_result(one.tool, "unknown", WORKER_LOST))
            else:
                work.known.append(denial(one.tool, one.decided))
        return work

    def sort_lost(self, requests: Sequence[ToolRequested], work: Work) -> ToolRequested | None:
        """Calls that a lost worker has started. The one that fails the turn, if the rule of one does."""
        failing: ToolRequested | None = None
        for request in requests:
            match self._on_lost(request):
                case "retry":
                    work.run.append(request)
                case "ask":
                    prompt = {**prompt_of(request, object_of(request.arguments) or {}), "lost": True}
                    work.asks.append(self._ask("approval", request.name, prompt))
                case "report":
                    work.known.append(tool_result(request, "unknown", WORKER_LOST))
                case "fail":
                    failing = request
        return failing

    def _on_lost(self, request: ToolRequested) -> OnLost:
        tool = self._ours.get(request.name)
        # One that is gone by now can be neither run again nor asked about.
        return "report" if tool is None else on_lost_for(self._policy, request.name, tool.repeatable)

    def _sort_new(self, request: ToolRequested, work: Work) -> None:
        name, rule = rule_for(self._policy, request.name)
        if rule == "deny" and self._is_known(request.name):
            work.known.append(ToolDenied(call=request.call, index=request.index, rule=name))
            work.known.append(tool_result(request, "error", "The tool policy forbids this call."))
            return
        ask = self._ask_about(request, rule)
        if ask is None:
            work.run.append(request)
        else:
            work.asks.append(ask)

    def _sort_allowed(self, request: ToolRequested, work: Work) -> None:
        start = self._ask_for_session(request)
        if start is None:
            work.run.append(request)
        else:
            work.asks.append(start)

    def _is_known(self, name: str) -> bool:
        return name in self._ours or name in self._of_clients

    def _ask_about(self, request: ToolRequested, rule: ToolRule) -> NewAsk | None:
        """None for a call that runs here, or that fails here for its arguments or its name."""
        arguments = object_of(request.arguments)
        if arguments is None:
            return None
        prompt = prompt_of(request, arguments)
        if request.name in self._of_clients:
            return self._ask("client_tool", request.name, prompt)
        tool = self._ours.get(request.name)
        if tool is not None and tool.question is not None:
            question = tool.question(arguments)
            return None if question is None else self._ask("question", request.name, {**prompt, **question})
        if tool is not None and rule == "ask":
            return self._ask("approval", request.name, prompt)
        return self._ask_for_session(request)

    def _ask_for_session(self, request: ToolRequested) -> NewAsk | None:
        """The ask that waits for the session which the call starts; its id stands before anything is made."""
        tool, arguments = self._ours.get(request.name), object_of(request.arguments)
        child = None if tool is None or tool.session is None or arguments is None else tool.session(arguments)
        if arguments is None or child is None:
            return None
        prompt = {**prompt_of(request, arguments), **child, "session": str(uuid7())}
        # A session that takes too long ends by its own policy.
        return NewAsk(id=AskId(uuid7()), kind="session", prompt=prompt)

    def _ask(self, kind: AskKind, tool: str, prompt: dict[str, Json]) -> NewAsk:
        seconds, on_expire = expiry_for(self._policy, tool, self._timeout_seconds, self._on_expire)
        # Nobody can answer for a client, or for whoever is asked a question.
        decision: Decision = "allow" if kind == "approval" and on_expire == "allow" else "deny"
        return NewAsk(
            id=AskId(uuid7()),
            kind=kind,
            prompt=prompt,
            timeout_seconds=seconds,
            on_expire=decision,
        )

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
