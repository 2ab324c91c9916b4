"""Our asks as Everruns' questions and approvals, and what is said to them. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import ClassVar, Final

from msgspec import UNSET, UnsetType

from sojourn.domain.ask import Ask
from sojourn.domain.errors import InvalidRequest
from sojourn.domain.ids import AskId
from sojourn.domain.kinds import AskKind
from sojourn.service.asks import Verdict
from sojourn.web.dialects.everruns import calls
from sojourn.web.dialects.everruns.outbound import stamp
from sojourn.web.dialects.everruns.wire import answer as wire
from sojourn.web.kit.refusals import BadRequest, RequestRefused

# An ask holds one question, which is known by this.
QUESTION: Final = "question"
DECLINED: Final = Verdict("deny", {"reason": "The user declined to answer."})
_NOT_APPROVED: Final = Verdict("deny", {"reason": "Nobody approved the call."})
_VERDICTS: Final[Mapping[wire.Decision, Verdict]] = {
    "allow": Verdict("allow"),
    "allow_always": Verdict("allow"),
    "reject": Verdict("deny", {"reason": "The user rejected the call."}),
    "reject_always": Verdict("deny", {"reason": "The user rejected the call."}),
}

_FOR_GOOD: Final = frozenset({"allow_always", "reject_always"})


class NothingPending(RequestRefused):
    code: ClassVar[str] = "nothing_pending"

    def __init__(self, kind: AskKind) -> None:
        super().__init__(f"No pending {kind} matches")


class AlreadyResolved(RequestRefused):
    code: ClassVar[str] = "already_resolved"

    def __init__(self, kind: AskKind) -> None:
        super().__init__(f"The {kind} is already resolved")


def call_id(ask: Ask) -> str:
    return calls.call_id(ask.id, ask.prompt)


def pending_questions(asks: Sequence[Ask]) -> list[wire.PendingQuestions]:
    return [
        wire.PendingQuestions(call_id(ask), [question(ask)], _until(ask.expires_at))
        for ask in asks
        if ask.kind == "question"
    ]


def pending_approvals(asks: Sequence[Ask]) -> list[wire.PendingApproval]:
    return [
        wire.PendingApproval(call_id(ask), tool(ask), ask.prompt.get("arguments", {}), _until(ask.expires_at))
        for ask in asks
        if ask.kind == "approval"
    ]


def _until(expires_at: datetime | None) -> str | UnsetType:
    return UNSET if expires_at is None else stamp(expires_at)


def question(ask: Ask) -> wire.Question:
    text, options = ask.prompt.get("question", ""), ask.prompt.get("options", [])
    labels = [option for option in options if isinstance(option, str)] if isinstance(options, list) else []
    return wire.Question(
        id=QUESTION,
        question=text if isinstance(text, str) else "",
        kind="choice" if labels else "text",
        options=[wire.Option(label) for label in labels],
    )


def tool(ask: Ask) -> str:
    name = ask.prompt.get("name")
    return name if isinstance(name, str) else ""


def answer(ask: Ask, said: wire.QuestionAnswers) -> Verdict:
    """What the service reads of an answer: the text. InvalidRequest for one that does not fit the question."""
    if any(each.secret_ref is not None for each in said.answers):
        raise BadRequest("secret_ref is not accepted here: decline the question instead")
    if said.status == "declined":
        return DECLINED
    asked = question(ask)
    for each in said.answers:
        if each.id != asked.id:
            raise InvalidRequest("answers", f"no question with id {each.id[:100]!r} was asked")
    if len(said.answers) != 1:
        raise InvalidRequest("answers", f"question {asked.id!r} needs one answer, not {len(said.answers)}")
    return Verdict("answer", _text(asked, said.answers[0]))


def _text(asked: wire.Question, said: wire.Answer) -> str:
    labels, other = {option.label for option in asked.options}, (said.other_text or "").strip()
    for label in said.selected:
        if label not in labels:
            raise InvalidRequest(
                "answers", f"question {asked.id!r} was not asked with option {label[:100]!r}"
            )
    if len(said.selected) > 1:
        raise InvalidRequest("answers", f"question {asked.id!r} takes one selection")
    parts = [*said.selected, *([other] if other else [])]
    if not parts:
        raise InvalidRequest("answers", f"question {asked.id!r} has no selection and no free text")
    return ": ".join(parts)


def outcomes(said: wire.ToolApprovals) -> dict[str, wire.Decision]:
    """By the calls that they are about."""
    decided: dict[str, wire.Decision] = {each.tool_call_id: each.decision for each in said.decisions}
    if len(decided) < len(said.decisions):
        raise InvalidRequest("decisions", "must not name a call twice")
    return decided


def verdicts(pending: Sequence[Ask], decided: Mapping[str, wire.Decision]) -> dict[AskId, Verdict]:
    """For every call that waits: the turn goes on once, so all of them are settled now."""
    return {ask.id: _verdict(ask, decided.get(call_id(ask))) for ask in pending}


def _verdict(ask: Ask, decision: wire.Decision | None) -> Verdict:
    if decision is None:
        return _NOT_APPROVED
    # A rule about later calls is one about a tool.
    return replace(_VERDICTS[decision], always=decision in _FOR_GOOD and bool(tool(ask)))


def resolved(pending: Sequence[Ask], decided: Mapping[str, wire.Decision]) -> wire.Resolved:
    return wire.Resolved(
        [
            wire.Resolution(call_id(ask), tool(ask), decided.get(call_id(ask), "not_approved"))
            for ask in pending
        ]
    )
