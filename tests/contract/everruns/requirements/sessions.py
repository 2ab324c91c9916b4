"""Sessions themselves, credentials and errors."""

from typing import Final

from tests.contract.everruns.requirements.sources import CLIENT, OPENAPI, OURS, PAGE
from tests.contract.requirement import Requirement

REQUIREMENTS: Final = (
    Requirement(
        "session.get", OPENAPI, "A session is read by its id, with every field that the client requires."
    ),
    Requirement(
        "session.ids",
        OPENAPI,
        "An id is session_ and 32 hexadecimal digits: another shape is 400, an unknown one 404.",
    ),
    Requirement("auth.raw", CLIENT, "The token is taken raw and after Bearer, on every route."),
    Requirement("auth.missing", OPENAPI, "Without a good key: 401."),
    Requirement("auth.role", OPENAPI, "A key whose role does not allow it: 403."),
    Requirement("auth.org", OURS, "What belongs to another organisation is not found."),
    Requirement(
        "auth.org-header",
        CLIENT,
        "X-Org-Id chooses among the organisations of a token.",
        "A key of Sojourn belongs to one organisation, so the header is not looked at.",
    ),
    Requirement(
        "auth.reason", CLIENT, "A reason for a change is percent-encoded UTF-8 of at most 1,000 characters."
    ),
    Requirement(
        "error.hybrid",
        CLIENT,
        "A failure is an RFC 9457 problem with error.code and error.message.",
        "The vendor's server leaves out error, so that its own client shows no code.",
    ),
    Requirement("error.framework", OPENAPI, "Unknown paths and methods fail in the same shape."),
    Requirement("mounts.both", CLIENT, "The same routes are at /v1 and at /api/v1."),
    Requirement("session.create", OPENAPI, "A new session is answered with 201 and all that it is."),
    Requirement(
        "session.sdk-body", CLIENT, "The client always sends capabilities, tags and tools, empty too."
    ),
    Requirement("session.fields", OPENAPI, "Every field that may be said of a session is given back."),
    Requirement(
        "session.agent",
        OPENAPI,
        "An agent is named by id or by name, not by both; unknown 404, archived 4xx.",
    ),
    Requirement(
        "session.harness",
        OPENAPI,
        "A harness is named by id or by name, not by both; default is the default.",
    ),
    Requirement("session.refused", OPENAPI, "What cannot be meant is 400, and nothing is made."),
    Requirement("session.model", OPENAPI, "An unknown model or workspace is 404."),
    Requirement(
        "session.repeat",
        OURS,
        "A create with an Idempotency-Key can be repeated; another body under it is 422.",
        "The vendor's management API knows no such header.",
    ),
    Requirement("session.patch", OPENAPI, "A PATCH changes only the fields that it gives."),
    Requirement("session.delete", OPENAPI, "A deleted session is 404 on every path."),
    Requirement("session.pin", OPENAPI, "PUT and DELETE of a pin answer 204, and a pin is the caller's own."),
    Requirement(
        "session.secrets", OPENAPI, "Secrets are stored sealed, listed by name and never given back."
    ),
    Requirement("session.elsewhere", OURS, "A session that was made elsewhere is shown whole."),
    Requirement("session.usage", OPENAPI, "Usage is left out while it is zero."),
    Requirement(
        "session.usage-buckets", OPENAPI, "Buckets are disjoint: input_tokens leaves out what was cached."
    ),
    Requirement(
        "status.ended",
        OURS,
        "An ended session is idle with finished_at; a message opens it again.",
        "The vendor's sessions never end, and it never sets finished_at.",
    ),
    Requirement("status.activity", OPENAPI, "activity is running, or what came of the last turn."),
    Requirement(
        "list.page", OPENAPI, "A list is data, total, offset and limit, with links to its neighbours."
    ),
    Requirement(
        "list.order", OPENAPI, "The order is that of creation, or of the last activity, newest first."
    ),
    Requirement("list.refused", OURS, "Paging and filters that cannot be meant are 400 and never clamped."),
    Requirement("list.search", OPENAPI, "All words of a search occur, in any case; % and _ are literal."),
    Requirement("list.filters", OPENAPI, "agent_id, source, mine, created_after and created_before narrow."),
    Requirement("list.activity", OPENAPI, "status selects by activity, and takes several."),
    Requirement("list.org", OURS, "A list holds only the sessions of the key's organisation."),
    Requirement("stats", OPENAPI, "stats counts sessions by status."),
    Requirement(
        "facets",
        OPENAPI,
        "facets counts what the filters select by activity, source and agent.",
        "tokens_today counts the sessions that began today.",
    ),
    Requirement(
        "session.previews",
        OURS,
        "preview and output_preview are the beginnings of the first message and the last answer.",
        "The vendor shows them in lists only; here a read has them too.",
    ),
    Requirement("fork", OPENAPI, "A fork has its parent's past and fields, but for what is said otherwise."),
    Requirement("fork.mid-turn", OPENAPI, "A session in the middle of a turn is not forked: 409."),
    Requirement("fork.message", OPENAPI, "A fork up to a message shares the log up to it."),
    Requirement(
        "session.client", CLIENT, "The client's every call on sessions and messages works unpatched."
    ),
    Requirement("session.fuzz", OURS, "Whatever is sent, the answer is the dialect's own, and never a 5xx."),
    Requirement("status.waiting", CLIENT, "A session that waits for a client is waitingfortoolresults."),
    Requirement(
        "session.iterations",
        OPENAPI,
        "max_iterations of the session, or else of its agent, limits the model calls of a turn, which is sealed then.",
        "0 is no limit of its own: 100 holds, the server's. No limit is higher than 1000.",
    ),
    Requirement(
        "session.overlay",
        OPENAPI,
        "model_id, system_prompt, capabilities and tools act on the session's turns.",
        "What a session adds to its agent is at most 256 KB in all, where the vendor takes a prompt of 1 MB.",
    ),
    Requirement(
        "session.page", PAGE, "The example of the page that describes the request is answered as it shows."
    ),
    Requirement("list.databases", OURS, "Lists and counts are the same over SQLite and Postgres."),
)
