"""Events, their lists and their stream."""

from typing import Final

from tests.contract.everruns.requirements.sources import CLIENT, OPENAPI, OURS, SERVER
from tests.contract.requirement import Requirement

REQUIREMENTS: Final = (
    Requirement(
        "events.order",
        SERVER,
        "A turn is input.message, session.activated, turn.started, reason.started, output.message.started, deltas,"
        " llm.generation, reason.completed, output.message.completed, turn.completed, session.idled.",
        "The messages of llm.generation are empty: the whole prompt with every call would grow as a square.",
    ),
    Requirement(
        "events.tools", SERVER, "Tools are told as act.started, tool.started, tool.completed, act.completed."
    ),
    Requirement(
        "events.sequence",
        OURS,
        "Sequences and ids rise strictly and are the same at every reading; sequences may have gaps.",
        "The vendor's sequences are dense in a stored log.",
    ),
    Requirement(
        "events.failed",
        SERVER,
        "A failed turn ends with a message to the user that has an error_code, turn.failed, session.idled.",
    ),
    Requirement(
        "events.cancelled",
        SERVER,
        "A cancelled turn ends with turn.cancelled, the user's request to stop, the agent's word, session.idled.",
    ),
    Requirement("events.sealed", SERVER, "A turn without progress, or without a budget, is sealed."),
    Requirement(
        "events.compaction",
        OPENAPI,
        "A summary is told as context.compacting and context.compacted, or context.compaction.failed.",
        "Their messages_before is of what is summarised, and known when that is done.",
    ),
    Requirement(
        "events.thinking", OPENAPI, "Thoughts are told as reason.thinking.completed, and no messages."
    ),
    Requirement(
        "events.cut",
        OURS,
        "Of a log that was cut there is what is left, counted so; a cursor into what is gone goes on behind it.",
    ),
    Requirement(
        "events.one-end", OURS, "Every turn has one last event of its own, and the session idles once."
    ),
    Requirement("events.elsewhere", OURS, "Sessions of every other dialect tell the same events."),
    Requirement("events.list", OPENAPI, "Without a limit a list is everything, oldest first."),
    Requirement(
        "events.limit", OPENAPI, "With a limit it is the last of them, and X-Total-Count tells how many."
    ),
    Requirement(
        "events.snap", OPENAPI, "An older page begins with turn.started, and none is lost between pages."
    ),
    Requirement(
        "events.cursors", OPENAPI, "since_id, after_sequence and before_sequence are exclusive bounds."
    ),
    Requirement(
        "events.foreign-id", CLIENT, "An id that is not of this log selects what is younger than it."
    ),
    Requirement("events.around", OPENAPI, "around shows what is on either side of an event."),
    Requirement(
        "events.filters", OPENAPI, "types, exclude, times, turn, exec, trace, tags, tool_name and q."
    ),
    Requirement(
        "events.refused", OPENAPI, "Unknown types, bad ids, bad paging and exclusive cursors are 400."
    ),
    Requirement("events.summary", OPENAPI, "The summary counts events by type, turns and errors."),
    Requirement(
        "sse.framing", OPENAPI, "connected comes first; every frame has a retry hint; stored ones an id."
    ),
    Requirement(
        "sse.replay",
        CLIENT,
        "Without a cursor a stream replays everything and follows.",
        "The vendor's newest server starts live, and its own client's examples then miss a fast turn.",
    ),
    Requirement(
        "sse.resume", CLIENT, "since_id resumes behind any event, deltas too, without a gap or a double."
    ),
    Requirement(
        "sse.deltas", SERVER, "A delta has the text so far, no sequence, no id field, and a rising id."
    ),
    Requirement("sse.filters", OPENAPI, "types narrows, then exclude takes away."),
    Requirement(
        "sse.cycle", SERVER, "A stream is cycled after a while, with disconnecting and a retry hint."
    ),
    Requirement("sse.shutdown", SERVER, "A server that stops says disconnecting with the reason shutdown."),
    Requirement("sse.event-shape", CLIENT, "Every other frame is a whole event; heartbeats are comments."),
    Requirement("sse.deleted", CLIENT, "A deleted session's stream ends, and asking again is 404 in JSON."),
    Requirement("sse.last-event-id", OURS, "Last-Event-ID resumes as since_id does, and wins."),
    Requirement(
        "events.client", CLIENT, "The client's lists and streams work unpatched, cut connections too."
    ),
    Requirement("events.client-tools", CLIENT, "Calls of a client's tools are told as tool.call_requested."),
    Requirement(
        "sse.idle",
        CLIENT,
        "The client reconnects an idle stream every 46 s, so that connecting reads no more than the last turn.",
    ),
)
