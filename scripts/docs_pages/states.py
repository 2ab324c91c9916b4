"""docs/reference/states.md: the tables of turns and sessions, by asking the domain's own functions."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final, get_args

from scripts.docs_pages.markdown import code, codes, compose, table
from sojourn.domain.actor import Actor
from sojourn.domain.agent import SPAWNING
from sojourn.domain.commands import Command, EndSession, ExpireSession, ReceiveInput
from sojourn.domain.content import TextPart
from sojourn.domain.decide import decide
from sojourn.domain.delivery import DELIVERIES, EFFECTS, Effect, Standing
from sojourn.domain.draft import State
from sojourn.domain.errors import WrongState
from sojourn.domain.ids import DEFAULT_ORG, AgentId, InputId, SessionId, TurnId
from sojourn.domain.kinds import Delivery, InputKind, Outcome
from sojourn.domain.session import Activity, Session, SessionStatus, activity
from sojourn.domain.turn import TRANSITIONS, Move, TurnStatus
from sojourn.domain.turning import MAX_FAULTS, MAX_STALLED

MOVES: Final[Mapping[Move, str]] = {
    Move.CLAIM: "A worker takes the turn. The fence rises.",
    Move.SPAWN: f"The same, for a runner that starts something first ({codes(sorted(SPAWNING))}).",
    Move.APPEND: "The runner writes what it did, and what it is about to do.",
    Move.HOLD: "The turn waits for an answer, and its worker stays.",
    Move.PARK: "The turn waits for an answer without a worker and without a lease. The fence rises.",
    Move.RESUME: "Everything it waited for is decided, and its worker goes on.",
    Move.REQUEUE: "Everything it waited for is decided, and a worker may claim it.",
    Move.RECLAIM: "Its lease lapsed, its worker stopped or its server was started again. The fence rises.",
    Move.RETRY: "Its worker met a passing fault; the turn may be claimed again after a delay.",
    Move.COMPLETE: "The agent yields.",
    Move.FAIL: f"It cannot go on: a fault that will not pass, more than {MAX_FAULTS} passing faults in a row, or"
    f" {MAX_STALLED} claims in a row that brought neither a model's answer nor a tool's result.",
    Move.CANCEL: "A client, a deadline or the end of the session stops it. The fence rises.",
}

OUTCOMES: Final[Mapping[Outcome, str]] = {
    "end_turn": "the agent yielded",
    "interrupted": "a client stopped it, sent an interrupt or ended the session",
    "expired": "a deadline passed: the turn's own, or the session's",
    "budget": "a budget of its session is used up",
    "refused": "the provider's content filter refused to answer",
    "no_progress": "it was claimed or called the model too often without getting anywhere",
    "error": "a fault that will not pass",
    "superseded": "its input was withdrawn before a worker had read it",
}

STANDING_WORDS: Final[Mapping[Standing, str]] = {
    Standing.IDLE: "no open turn",
    Standing.DRIVEN: "no open turn, and a presence",
    Standing.QUEUED: "a turn that nobody has claimed yet",
    Standing.RESUMED: "a turn that is queued again, as what it waited for is decided",
    Standing.STARTING: "a turn whose runner is starting",
    Standing.BUSY: "a turn at work",
    Standing.RETRYING: "a turn between two claims",
    Standing.HELD: "a turn that waits for a decision, with its worker",
    Standing.PARKED: "a turn that waits for a decision, without a worker",
    Standing.PAUSED: "a turn that waits for its session's budgets",
    Standing.ENDED: "the session has ended",
    Standing.ARCHIVED: "the session is archived, whatever it does",
}

EFFECT_WORDS: Final[Mapping[Effect, str]] = {
    Effect.START: "Its own turn is queued at once.",
    Effect.REOPEN: "The session is open again, if its policy allows that, and its own turn is queued at once.",
    Effect.LINE_UP: "It takes its place in the queue. If that is before the input of the turn that nobody has claimed,"
    " that one goes back into the queue (`turn.deferred`), and its own turn is queued.",
    Effect.FOLLOW: "It takes its place in the queue, until the open turn has ended or the presence is gone.",
    Effect.STEER: "The open turn reads it before its next model call; if there is none, it has its own turn.",
    Effect.DISMISS: "What is still asked is denied; the turn resumes and reads it before its next model call.",
    Effect.DEFER: "Its own turn is queued at once. The input of the turn that nobody has claimed is not lost: it goes"
    " back into the queue behind this one (`turn.deferred`), and its turn keeps its id.",
    Effect.REPLACE: "The open turn is cancelled, and its own is next, before all that is queued.",
    Effect.DECIDE: "The ask that it names is decided, if it is open; the turn resumes with the last of its asks.",
    Effect.STOP: "The open turn is cancelled.",
    Effect.NOTHING: "Nothing is at work; the answer says that nothing was stopped.",
    Effect.SAME: "As if the session were not archived.",
    Effect.REFUSED: "`wrong_state`: there is no open ask, or the session takes no inputs.",
    Effect.IMPOSSIBLE: "`invalid_request`: what decides an ask is never queued and interrupts nothing, and what only"
    " stops is no message that could wait.",
}

KIND_WORDS: Final[Mapping[InputKind, str]] = {
    "message": "An input, with a turn of its own unless another reads it.",
    "tool_result": "The decision of an ask about a client's tool.",
    "decision": "The decision of any other ask: an approval or a question.",
    "interrupt": "A request to stop what is at work, without a message. To cancel a turn by its id is another verb: it"
    " ends the turn however it stands, and withdraws the input of one that nobody has"
    " claimed or that waits in line, which the log says.",
}

_NOW: Final = datetime(2030, 1, 1, tzinfo=UTC)
_BY: Final = Actor("human")


def page() -> str:
    return compose(
        "States",
        "src/sojourn/domain",
        "## Turns",
        "![The statuses of a turn](../images/turn-states.svg)",
        "An arrow from a frame starts at every status in it. This is the table that decides in the code"
        " ([turn.py](../../src/sojourn/domain/turn.py)); the database repeats the statuses as constraints, and that a"
        " session has at most one open turn.",
        _turns(),
        table(["move", "what happens"], ([code(move), MOVES[move]] for move in Move)),
        "A turn that has ended says why:",
        table(["reason", "meaning"], ([code(name), OUTCOMES[name]] for name in get_args(Outcome))),
        "## Sessions",
        "The **status** says whether a session is open. An archived session keeps its status and refuses inputs.",
        _sessions(),
        "The **activity** says what it is doing. It is stored, and always equal to a function of the session's status,"
        " its open turn, its queued inputs and its presences:",
        _activities(),
        "A session with a presence is driven from outside: its inputs wait, and start no turn here.",
        "## Inputs",
        "What becomes of whatever arrives, by what the session is at, by its kind and by how it is delivered"
        " ([delivery.py](../../src/sojourn/domain/delivery.py)). The table decides in the code, and"
        " [a test](../../tests/service/test_delivery_table.py) brings a session to each of its rows.",
        _effects(),
        table(["effect", "what happens"], ([code(effect), EFFECT_WORDS[effect]] for effect in Effect)),
        table(["kind", "what it is"], ([code(kind), KIND_WORDS[kind]] for kind in get_args(InputKind))),
        "## The queue",
        "Inputs wait by priority, and within one in the order in which they came: what interrupts before what a human"
        " says, that before an agent's and that before a schedule's. An input that is moved takes the priority of the"
        " one that it is put before. The first of the queue has a turn as soon as no other is open, and until a worker"
        " has claimed it that turn stands back for whatever goes before it (`turn.deferred`). A steer may be read"
        " sooner, by the turn that is open.",
        "An input is edited, moved and withdrawn until a turn has read it, each on the condition of its `revision` if"
        " the client likes. A withdrawn input is never read; one whose turn nobody has claimed takes the turn with it.",
        "## Stopping",
        "A stop (an interrupt, a cancellation, a deadline, the end of the session) is one `turn.cancelled`, which names"
        " who it was: the key of a human, or the policy or deadline. It is written before anything else happens, and"
        " the fence refuses whatever the stopped step still writes. The step itself is cancelled at once, and the"
        " session's next turn starts in that worker when the step has ended. A step that does not end within 5 seconds"
        " (the setting `stop_seconds`)"
        " is left behind with an error in the server's log: the next turn starts beside it, and it keeps its place"
        " among the worker's turns until it ends.",
    )


def _effects() -> str:
    ways: list[tuple[InputKind, Delivery]] = [
        (kind, delivery) for kind, deliveries in DELIVERIES.items() for delivery in deliveries
    ]
    impossible = [
        f"{code(kind)} as {code(delivery)}"
        for kind in get_args(InputKind)
        for delivery in get_args(Delivery)
        if {EFFECTS[at, kind, delivery] for at in Standing} == {Effect.IMPOSSIBLE}
    ]
    head = ["activity", "that is", *(f"{code(kind)}, {code(delivery)}" for kind, delivery in ways)]
    rows = (
        [f"**{at}**", STANDING_WORDS[at], *(code(EFFECTS[at, kind, delivery]) for kind, delivery in ways)]
        for at in Standing
    )
    return f"{table(head, rows)}\n\nEverywhere {code(Effect.IMPOSSIBLE)}: {', '.join(impossible)}."


def _turns() -> str:
    rows: list[list[str]] = []
    for status in TurnStatus:
        moves = {move: after for (before, move), after in TRANSITIONS.items() if before is status}
        cells = [f"{code(move)} → {after}" for move, after in moves.items()]
        rows.append([f"**{status}**", ", ".join(cells) or "ended: nothing moves it"])
    return table(["status", "move → next status"], rows)


def _sessions() -> str:
    commands: dict[str, Command] = {
        "a message": ReceiveInput(
            input=InputId(DEFAULT_ORG),
            turn=TurnId(DEFAULT_ORG),
            kind="message",
            delivery="queue",
            content=(TextPart("hello"),),
            by=_BY,
        ),
        "end as completed": EndSession(status="completed", by=_BY),
        "end as failed": EndSession(status="failed", by=_BY),
        "end as cancelled": EndSession(status="cancelled", by=_BY),
        "a deadline": ExpireSession(reason="idle"),
    }
    rows = [
        [f"**{status}**", *(_status_after(status, command) for command in commands.values())]
        for status in SessionStatus
    ]
    return table(["status", *commands], rows)


def _status_after(status: SessionStatus, command: Command) -> str:
    session = Session(
        org=DEFAULT_ORG,
        id=SessionId(DEFAULT_ORG),
        agent=AgentId(DEFAULT_ORG),
        agent_version=1,
        runner="model",
        created_at=_NOW,
        opened_at=_NOW,
        active_at=_NOW,
        updated_at=_NOW,
    )
    try:
        return decide(State(session=replace(session, status=status)), command, _NOW).session.status
    except WrongState:
        return "refused"


def _activities() -> str:
    is_open = SessionStatus.OPEN
    rows = [["open", turn, "any", _activity(is_open, turn)] for turn in TurnStatus if turn.is_open]
    rows += [
        ["open", "none", "a presence", activity(is_open, None, 1, 1)],
        ["open", "none", "queued inputs", activity(is_open, None, 1, 0)],
        ["open", "none", "nothing", activity(is_open, None, 0, 0)],
        ["any other", "none", "any", _ended()],
    ]
    return table(["status", "open turn", "besides", "activity"], rows)


def _activity(status: SessionStatus, turn: TurnStatus) -> Activity:
    """The one activity of an open turn, whatever waits behind it."""
    (found,) = {activity(status, turn, inputs, presences) for inputs in (0, 1) for presences in (0, 1)}
    return found


def _ended() -> Activity:
    ended = [status for status in SessionStatus if status is not SessionStatus.OPEN]
    (found,) = {
        activity(status, None, inputs, presences)
        for status in ended
        for inputs in (0, 1)
        for presences in (0, 1)
    }
    return found
