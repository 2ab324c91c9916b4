"""What a worker outside is told, in the native API's format. Pure."""

from collections.abc import Sequence
from typing import assert_never

import msgspec

from sojourn.domain import fold
from sojourn.domain.content import Message, Part, TextPart, ToolCallPart, ToolResultPart
from sojourn.domain.input import Input
from sojourn.domain.log import StoredEvent
from sojourn.domain.provider import Meaning
from sojourn.ports.turns import ClaimedTurn
from sojourn.service.outside.signals import Listening, Signal, TurnReady, TurnStopped
from sojourn.web.kit.sse import frame
from sojourn.web.native import model_outbound, outbound, worker_wire
from sojourn.web.native.worker_inbound import claim_name


def claimed(turn: ClaimedTurn, input: Input, ttl_seconds: float) -> worker_wire.ClaimedTurn:
    return worker_wire.ClaimedTurn(
        claim=claim_name(turn),
        session=turn.session,
        turn=turn.turn,
        fence=turn.fence,
        attempt=turn.attempt,
        faults=turn.faults,
        ttl_seconds=ttl_seconds,
        agent=outbound.agent(turn.agent),
        model=turn.model,
        alias=turn.alias,
        input=outbound.input(turn.session, input),
    )


def entries(found: Sequence[tuple[StoredEvent, str]]) -> list[worker_wire.Entry]:
    return [
        worker_wire.Entry(event.seq, event.turn, event.type, event.v, event.at, msgspec.Raw(data.encode()))
        for event, data in found
    ]


def conversation(conversation: fold.Conversation) -> worker_wire.Conversation:
    messages = [_message(message) for message in conversation.messages]
    return worker_wire.Conversation(conversation.seq, conversation.progress.call, messages)


def _message(message: Message) -> worker_wire.Message:
    return worker_wire.Message(message.role, [_part(part) for part in message.parts])


def _part(part: Part) -> worker_wire.MessagePart:
    match part:
        case TextPart(text=text):
            return worker_wire.MessagePart("text", text)
        case ToolCallPart(id=id, name=name, arguments=arguments):
            return worker_wire.MessagePart("tool_call", id=id, name=name, arguments=arguments)
        case ToolResultPart(id=id, name=name, status=status, output=output):
            return worker_wire.MessagePart("tool_result", id=id, name=name, status=status, output=output)
        case _:
            assert_never(part)


def meant(meaning: Meaning) -> worker_wire.MeantModel:
    return worker_wire.MeantModel(
        meaning.provider,
        meaning.model,
        model_outbound.settings(meaning.settings),
        model_outbound.prices(meaning.prices),
        None if meaning.stored is None else model_outbound.provider(meaning.stored),
    )


def signal(signal: Signal) -> bytes:
    match signal:
        case Listening():
            return frame("listening", b"{}")
        case TurnReady(session=session):
            return frame("turn_ready", msgspec.json.encode(worker_wire.ReadyTurn(session)))
        case TurnStopped(session=session, turn=turn):
            return frame("turn_stopped", msgspec.json.encode(worker_wire.StoppedTurn(session, turn)))
        case _:
            assert_never(signal)
