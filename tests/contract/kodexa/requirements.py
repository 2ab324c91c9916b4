"""What the dialect must do, where that is written, and where Sojourn differs on purpose.

A test says by `covers` which of these it shows; `tests/contract/test_requirements.py` checks that none is left out.
"""

from typing import Final

from tests.contract.requirement import Requirement, covering

PAGE: Final = "developer.kodexa.ai: orchestrator-agent-sessions/create-orchestratoragentsession"
LISTS: Final = "developer.kodexa.ai: the generated pages of lists (page, pageSize, sort, filter, query)"
FILTERS: Final = "developer.kodexa.ai: guides/reference/filtering-api"
INTRODUCTION: Final = "developer.kodexa.ai: api-reference/introduction"
CLIENT: Final = "PyPI kodexa 7.4.421830084132, kodexa/platform/client.py"
SPRING: Final = "Spring Data's Page and Spring Boot's error attributes"
OURS: Final = "docs: one session, every dialect"

REQUIREMENTS: Final = (
    Requirement(
        "create.any-fields", PAGE, "Every field of a new session is optional, and unknown ones are ignored."
    ),
    Requirement(
        "create.placeholders", PAGE, "The page's own curl, with its placeholder texts and past dates, works."
    ),
    Requirement("create.null-is-absent", CLIENT, "The client sends null for every field that is not set."),
    Requirement("create.id", PAGE, "An id that is a free UUID is kept; one that is taken is a conflict."),
    Requirement("create.other-id", PAGE, "An id that is no UUID is replaced by the server's own."),
    Requirement(
        "create.server-owned", PAGE, "uuid, changeSequence, createdOn and updatedOn are the server's."
    ),
    Requirement(
        "create.organization", PAGE, "organizationId is the tenant, which is the key's and not the body's."
    ),
    Requirement(
        "create.repeat",
        OURS,
        "A create with an Idempotency-Key can be repeated.",
        "Kodexa has no such header; without it a repeated POST makes a second session, as there.",
    ),
    Requirement("read.own-writes", CLIENT, "Create and update read the session back at once."),
    Requirement(
        "read.shape", PAGE, "A session has twelve fields, always all of them, instants with milliseconds."
    ),
    Requirement("read.malformed-id", INTRODUCTION, "An id that is none is the id of nothing: 404."),
    Requirement("read.exists", CLIENT, "exists() takes 200 and 404 for an answer and nothing else."),
    Requirement("update.sequence", CLIENT, "A PUT with the changeSequence last read is taken and adds 1."),
    Requirement(
        "update.stale", CLIENT, "A PUT with an older changeSequence is a conflict and changes nothing."
    ),
    Requirement("update.no-sequence", PAGE, "A PUT without a changeSequence is taken: the last write wins."),
    Requirement("update.counts-puts", OURS, "changeSequence counts updates only, and no turn or expiry."),
    Requirement(
        "update.whole", INTRODUCTION, "A PUT replaces the whole object: what it leaves out is taken away."
    ),
    Requirement(
        "update.status-stays",
        INTRODUCTION,
        "A PUT without a status leaves the status as it is.",
        "The rest of the object is replaced; a session always has a status, so there is nothing to take away.",
    ),
    Requirement("update.immutable", PAGE, "id, uuid, createdOn and organizationId do not change."),
    Requirement("update.no-patch", INTRODUCTION, "There is no PATCH: 405, in JSON."),
    Requirement("delete.gone", CLIENT, "DELETE answers 204, and the session is not found any more."),
    Requirement("list.page", SPRING, "A page has Spring's eleven fields; content is never null."),
    Requirement("list.one-based", LISTS, "page counts from 1, and a page behind the end is empty."),
    Requirement(
        "list.stream", CLIENT, "stream() walks pages of 5 until one is empty, and sees each session once."
    ),
    Requirement(
        "list.limits", LISTS, "pageSize is 1 to 1000, 20 by default; what is out of range is refused."
    ),
    Requirement("list.sort", LISTS, "sort is field[:asc|desc] joined by ;, and an unknown field is refused."),
    Requirement(
        "list.stable", OURS, "Equal sessions are ordered by id, and what is created meanwhile moves no page."
    ),
    Requirement("list.query", LISTS, "query is free text, and * is everything."),
    Requirement(
        "filter.guide", FILTERS, "The operators of the guide: ==, !=, >, >=, <, <=, =like=, =in=, is null."
    ),
    Requirement("filter.client", CLIENT, "The older spelling of the client: field: 'v', field='v', AND."),
    Requirement("filter.precedence", FILTERS, "and (;) binds tighter than or (,), and parentheses group."),
    Requirement("filter.all-hold", LISTS, "Repeated filters all have to hold."),
    Requirement("filter.metadata", FILTERS, "Dotted fields reach into the metadata."),
    Requirement("filter.organization", CLIENT, "organization.id stands for organizationId."),
    Requirement(
        "filter.instants", FILTERS, "An instant that was read selects the session that it was read of."
    ),
    Requirement(
        "filter.limits",
        OURS,
        "The filters of one list are limited together: 100 comparisons, 500 values, 100 of a client's instants.",
    ),
    Requirement("filter.refused", FILTERS, "An unknown field or bad syntax is a 400 that names the filter."),
    Requirement("status.free-text", PAGE, "status is free text and is given back as it was written."),
    Requirement("status.default", OURS, "A session that was made here without a status is ACTIVE."),
    Requirement(
        "status.until-change", OURS, "A written status stands until the session's own state changes."
    ),
    Requirement(
        "status.table", OURS, "Every state of a session has its word, and filters see the word that is shown."
    ),
    Requirement("status.ends", OURS, "Writing TERMINATED, FAILED or EXPIRED ends the session."),
    Requirement("expiry.given", PAGE, "A session ends as EXPIRED at its expiresAt."),
    Requirement("expiry.past", PAGE, "An expiresAt that has passed is kept and ends nothing."),
    Requirement(
        "expiry.extended",
        PAGE,
        "expiresAt is when a session ends.",
        "It is what a client wrote: a session that was extended or opened again elsewhere ends later than that.",
    ),
    Requirement("expiry.none", OURS, "Null is no expiry."),
    Requirement("invoked.last", PAGE, "lastInvokedAt is when the session was last invoked, and not its end."),
    Requirement("expiry.invoked", PAGE, "lastInvokedAt counts as activity for the session's idle limit."),
    Requirement(
        "auth.keys", INTRODUCTION, "x-api-key and the older x-access-token are taken; x-api-key wins."
    ),
    Requirement("auth.missing", INTRODUCTION, "Without a good key: 401."),
    Requirement("auth.role", INTRODUCTION, "A key whose role does not allow it: 403."),
    Requirement(
        "auth.organization", INTRODUCTION, "Another organisation's session is not found, by any verb."
    ),
    Requirement("auth.me", CLIENT, "/api/account/me is the user that the key stands for."),
    Requirement("auth.overview", CLIENT, "/api/overview names the server, and its 401 tells a bad key."),
    Requirement("error.body", SPRING, "Every failure, the framework's too, is Spring's JSON object."),
    Requirement("error.fields", CLIENT, "The errors of a 400 map fields to texts, which the client prints."),
    Requirement(
        "error.no-redirect",
        CLIENT,
        "The client fails on 301 and 302: there is none, with or without a slash.",
    ),
    Requirement(
        "error.no-429",
        CLIENT,
        "The client takes 429 for a success.",
        "Where other dialects answer 429 this one answers 503 with Retry-After.",
    ),
    Requirement(
        "error.413",
        CLIENT,
        "A body over the limit is refused with 413.",
        "The client takes 413, too, for a success and then misses the session's id; the status is HTTP's own.",
    ),
    Requirement("error.nul", OURS, "A NUL character anywhere in a body or a query is refused."),
    Requirement(
        "shared.natively", OURS, "A session made here is read, messaged and ended natively, and the reverse."
    ),
)

covers: Final = covering(REQUIREMENTS)
