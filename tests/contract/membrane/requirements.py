"""What the dialect must do, where that is written, and where Sojourn differs on purpose.

A test says by `covers` which of these it shows; `tests/contract/test_requirements.py` checks that none is left out.
"""

from typing import Final

from tests.contract.requirement import Requirement, covering

API: Final = "the vendor's OpenAPI, tag Sessions: /agent/sessions*"
SDK: Final = "npm @membranehq/sdk 0.28.3: schemas and client"
DOCS: Final = "the vendor's documentation and skill pages"
APPS: Final = "the vendor's example applications: playground, self-integrating-workflow-builder"
OPENCODE: Final = "npm @opencode-ai/sdk: Message and Part"
OURS: Final = "docs: one session, every dialect"

REQUIREMENTS: Final = (
    Requirement("create.answer", API, "POST answers 200 with the session, queued and busy."),
    Requirement("create.prompt", API, "A prompt of at least one character is required; `{}` is a 400."),
    Requirement(
        "create.fields", API, "The element, the agent's name, the harness and isExternal are given back."
    ),
    Requirement(
        "create.enums", API, "Words outside of the lists of element types, agents and models are a 400."
    ),
    Requirement("create.every-word", API, "Every word of those lists is taken, the newest included."),
    Requirement("create.unknown", API, "Unknown keys are ignored."),
    Requirement("create.no-null", SDK, "A field is left out and never null."),
    Requirement(
        "create.attachments", API, "Attachments need a title and data of any kind, and reach the agent."
    ),
    Requirement(
        "create.repeat",
        OURS,
        "A create with an Idempotency-Key can be repeated.",
        "The vendor has no such header; without it a repeated POST makes a second session, as there.",
    ),
    Requirement(
        "create.agent", OURS, "An agentName is kept, and the organisation's default agent does the work."
    ),
    Requirement(
        "create.model",
        API,
        "A modelId does the work if its provider is configured; else it is recorded, and the agent's own does.",
        "The vendor does not give the modelId back; here it is, as an extra key, and has every provider.",
    ),
    Requirement("create.policy", DOCS, "A session that nothing happens in for 15 minutes ends."),
    Requirement("page.curl", API, "The page's own curl works."),
    Requirement(
        "shape.no-null", SDK, "Absent fields are left out, instants end in Z, extra keys do no harm."
    ),
    Requirement(
        "shape.id", OURS, "An id is the session's UUID in 32 lower-case digits, and nothing else is read."
    ),
    Requirement(
        "shape.defaults", SDK, "The element is the customer: the tenant, else the workspace; type is agent."
    ),
    Requirement(
        "shape.derived", OURS, "prompt, summary, error and cost of sessions made elsewhere are derived."
    ),
    Requirement(
        "status.table", OURS, "Every state of a session has its status and state, and lists see the same."
    ),
    Requirement(
        "status.expired", DOCS, "A session that expires idle is completed, one that expires busy failed."
    ),
    Requirement("status.worker", DOCS, "hasWorker is true while a session starts and runs, then false."),
    Requirement("list.order", API, "Newest first, 100 unless asked for otherwise."),
    Requirement("list.cursor", SDK, "A cursor leads through every session once; the last page has none."),
    Requirement(
        "list.limit", SDK, "A limit of 0, 1001, 5.5 or text is a 400, as is a cursor of another list."
    ),
    Requirement("list.filters", API, "Element, harness, dates of creation, status and isExternal select."),
    Requirement("list.bad-filters", API, "A word outside of a list and an instant without Z are a 400."),
    Requirement(
        "wait.idle", DOCS, "wait answers at once when the session is idle or over, else when it becomes so."
    ),
    Requirement("wait.timeout", DOCS, "After the timeout the session is answered as it is, with 200."),
    Requirement("wait.bounds", API, "timeout is a whole number from 1 to 60."),
    Requirement("wait.bool", SDK, "true and 1 wait, false and 0 and nothing do not, any other text waits."),
    Requirement("wait.gone", OURS, "A client that leaves leaves nothing behind."),
    Requirement("message.steer", DOCS, "A message to a running session reaches it and leaves its status."),
    Requirement("message.resume", DOCS, "A message to a session that is over resumes it: queued, busy."),
    Requirement("message.queued", DOCS, "A message to a queued session is appended and changes no status."),
    Requirement(
        "message.waiting",
        DOCS,
        "A message to a session whose turn waits for a decision replaces that turn.",
        "The vendor has no such waits, and its clients have no call that could decide one.",
    ),
    Requirement(
        "message.stays",
        DOCS,
        "A message to an idle session is answered with the status as it was, and busy.",
        "Until a worker takes the turn, a GET says queued and busy.",
    ),
    Requirement("message.synthetic", OPENCODE, "A synthetic message is marked in the messages."),
    Requirement("message.repeat", OURS, "A message with an Idempotency-Key can be repeated."),
    Requirement(
        "interrupt.running", DOCS, "interrupt stops what runs, the session stays: interrupted is true."
    ),
    Requirement("interrupt.idle", DOCS, "interrupt of anything else changes nothing: interrupted is false."),
    Requirement("interrupt.repeat", OURS, "An interrupt with an Idempotency-Key can be repeated."),
    Requirement(
        "stop.cancels", DOCS, "stop ends a session: cancelled, idle, no worker; again, it changes nothing."
    ),
    Requirement("no-body", SDK, "A POST or PATCH without a body comes as a form and is no 415."),
    Requirement("patch.fields", API, "A worker reports title, summary, output, error and its activity."),
    Requirement("patch.ends", API, "A status of an end ends the session."),
    Requirement(
        "patch.report", API, "A reported status or state stands until the session's own state changes."
    ),
    Requirement("patch.activity", SDK, "lastActivityAt is an instant with Z or a number of milliseconds."),
    Requirement("patch.refuses", API, "Unknown words, texts that are no instants and nulls are a 400."),
    Requirement(
        "messages.shape", OPENCODE, "Messages are an array; each has info and parts, and its own id and role."
    ),
    Requirement("messages.tools", OPENCODE, "A tool is a part with the state of its call."),
    Requirement("messages.errors", OPENCODE, "What failed or was interrupted says so."),
    Requirement(
        "messages.waiting", OURS, "What nobody has read yet stands at the end, a withdrawn input nowhere."
    ),
    Requirement(
        "auth.claims", DOCS, "Both spellings of the claims are read; no tenant is the whole workspace."
    ),
    Requirement(
        "auth.algorithms", DOCS, "HS256 to HS512 by the secret; ES256, RS256, PS256 by the public key."
    ),
    Requirement(
        "auth.refuses", DOCS, "A token without exp, after it, unsigned or signed otherwise is a 401."
    ),
    Requirement("auth.pat", SDK, "A key that begins with pat- is taken, and sees every session."),
    Requirement("auth.query", SDK, "A GET may carry its token in the query, as an EventSource must."),
    Requirement("auth.cache", OURS, "A token is not taken for longer than it lives."),
    Requirement(
        "screen.shows", SDK, "A form with token, sessionId and theme is answered by a page of the session."
    ),
    Requirement("screen.auth", OURS, "The page goes by the form's token, whatever a header says."),
    Requirement("screen.hostile", OURS, "What agents and users say is text in the page, and nothing else."),
    Requirement("screen.greets", SDK, "The page greets the frame's opener, which gives up on it otherwise."),
    Requirement(
        "events.stream",
        OURS,
        "A session's changes and the words being written are a stream that can be resumed.",
        "The vendor has no stream: its clients poll.",
    ),
    Requirement(
        "webhook.finished",
        DOCS,
        "agent-session-finished is told of each session that has ended, as the vendor shows it.",
        "It is set in the native API; the vendor's admin API is not spoken.",
    ),
    Requirement("webhook.signed", DOCS, "X-Signature is the lower-case hex HMAC-SHA256 of the body."),
    Requirement(
        "webhook.retried",
        DOCS,
        "A webhook that does not take it is told again, under the same X-Delivery-Id.",
        "The vendor tells once.",
    ),
    Requirement("tenant.isolated", OURS, "Another tenant's session is a 404 in every call and in no list."),
    Requirement("tenant.all", OURS, "Without a tenant, with isAdmin or a key, all are seen."),
    Requirement(
        "org.isolated", OURS, "Another organisation's session is a 404 in every call and in no list."
    ),
    Requirement("error.body", SDK, "Every answer that is no success has a known type, whatever it is about."),
    Requirement(
        "error.not-found", SDK, "An unknown id is bad_request, not_found, with the vendor's sentence."
    ),
    Requirement("error.issues", SDK, "A refused field is named in data.issues by its path."),
    Requirement("error.too-large", OURS, "A body over the limit is a 413 with a known type."),
    Requirement(
        "client.script", SDK, "The SDK's own client does its acceptance script, its schemas as the judge."
    ),
    Requirement(
        "client.any-origin", APPS, "The SDK runs in pages of any origin: they may ask, and ask ahead."
    ),
    Requirement("client.polls", APPS, "The polling loops of the example applications come to their ends."),
    Requirement(
        "shared.everywhere", OURS, "Sessions made elsewhere are listed, read, messaged and ended here."
    ),
)

covers: Final = covering(REQUIREMENTS)
