"""What agent-swarm's active sessions ask of a server, and where this one does otherwise on purpose.

`source` is the contract's section, the design's, or a ruling. Each requirement is shown by a test that carries
`covers`; `tests/contract/test_requirements.py` checks that both ways.
"""

from typing import Final

from tests.contract.requirement import Requirement, covering

REQUIREMENTS: Final = (
    Requirement("recorded.server", "recorded", "78 recorded exchanges get the recorded answers, in order"),
    Requirement("recorded.worker", "recorded", "The calls of four session lives get the recorded answers"),
    Requirement(
        "seed.curl", "seed page", "The page's eight curl lines work with a key, and answer 401 without"
    ),
    Requirement(
        "auth.scheme", "1.1", "The scheme is `Bearer ` literally; spaces around the key do not count"
    ),
    Requirement("auth.first", "1.1", "401 comes before validation and routing, unknown paths included"),
    Requirement("auth.body", "1.1", "401 is {'error': 'Unauthorized'} without WWW-Authenticate"),
    Requirement("auth.roles", "design 6", "A key may do here what its role may do natively, and no more"),
    Requirement("auth.org", "design 2", "Another organisation sees, beats and ends nothing of it"),
    Requirement(
        "cors.plain", "1.1, ruling 18", "Without Origin every answer allows any, 401 and 404 included"
    ),
    Requirement(
        "cors.origin", "1.1, ruling 18", "An Origin is echoed, with credentials and what was asked for"
    ),
    Requirement("cors.preflight", "1.1", "OPTIONS answers 204 on any path, without a key"),
    Requirement("paths.empty", "1.1, ruling 20", "Empty path segments do not count, wherever they are"),
    Requirement(
        "paths.decoded",
        "1.1",
        "Path parameters are taken as they come",
        "They are percent-decoded, as the adapters that encode them expect (1.4)",
    ),
    Requirement(
        "paths.unknown", "1.1, ruling 18", "Unknown paths and methods, HEAD included: 404 `Not Found`"
    ),
    Requirement("body.type", "1.1", "The content type does not matter, nor that there is none"),
    Requirement("body.blank", "1.1", "An empty or blank body is an empty object"),
    Requirement(
        "body.malformed",
        "1.1",
        "Malformed JSON is a 500 with the parser's message",
        "400: it is the client's mistake (1.4)",
    ),
    Requirement("body.kinds", "1.1", "null, arrays and strings are 400"),
    Requirement("body.unknown", "1.1", "Unknown fields are dropped silently"),
    Requirement("body.null", "1.1", "An optional field may be absent, but not null"),
    Requirement("body.complaints", "1.1", "All complaints are told at once, in the reference's words"),
    Requirement("body.nul", "ruling 16", "A NUL in a field that counts is refused"),
    Requirement(
        "body.size",
        "1.1, ruling 16",
        "There is no size limit",
        "8 MiB by default, and 413 beyond; no single field is limited below that",
    ),
    Requirement("row.keys", "1.2", "Eleven keys, always all present, in this order"),
    Requirement("row.instants", "1.2", "Instants have three decimals and Z; the first beat equals the start"),
    Requirement("list.order", "1.3", "The whole table, newest first, unknown agents empty"),
    Requirement(
        "list.agent", "1.3, ruling 18", "agentId filters: empty is none, the last counts, others ignored"
    ),
    Requirement("list.etag", "design 9", "A list that did not change is a 304 to who has its ETag"),
    Requirement("list.elsewhere", "ruling 9", "Sessions driven elsewhere are rows under their agent's name"),
    Requirement("create.created", "1.3", "201 with the session; only agentId and triggerType are needed"),
    Requirement(
        "create.agent",
        "1.3",
        "An unregistered agent is a 500",
        "201: there is no table of agent-swarm's agents here (1.4, ruling 1)",
    ),
    Requirement(
        "create.duplicate",
        "1.3",
        "A second session of a task is a 500 with the database's text",
        "409 (1.4)",
    ),
    Requirement("create.race", "1.3", "24 parallel creates of one task make exactly one session"),
    Requirement("create.again", "design 1", "A create may be repeated under an Idempotency-Key"),
    Requirement(
        "beat.effect", "1.3", "A beat changes lastHeartbeatAt only, and answers whether it found the task"
    ),
    Requirement("beat.body", "1.3", "The body of a beat is never read"),
    Requirement("beat.anybody", "1.3, design 2", "Any key of the organisation may beat; by task id only"),
    Requirement("provider.effect", "1.3", "provider-session changes that field only, and is no sign of life"),
    Requirement("provider.order", "1.3", "Its body is checked before the task is looked for"),
    Requirement("delete.misses", "1.3", "Deletes answer 200 with a boolean, never 404"),
    Requirement("delete.task", "1.3", "`by-task` alone is read as an id"),
    Requirement("delete.elsewhere", "design 2", "A row of a session made elsewhere can be ended too"),
    Requirement(
        "cleanup.agent", "1.3", "With an agent: all of its sessions, fresh ones included, age ignored"
    ),
    Requirement(
        "cleanup.stale", "1.3", "Without: what has been quiet for longer than maxAgeMinutes, 30 by default"
    ),
    Requirement("cleanup.zero", "1.3", "maxAgeMinutes 0 ends everything older than this instant"),
    Requirement(
        "cleanup.age",
        "1.3",
        "A negative age deletes everything, an absurd one is a 500",
        "Both are 400: one number must not empty the table (1.4)",
    ),
    Requirement(
        "cleanup.own", "ruling 9", "Cleanup touches only sessions that were made through agent-swarm"
    ),
    Requirement(
        "cleanup.multi",
        "1.3",
        "With MULTI_RUNTIME_ENABLED, cleanup by agent deletes nothing",
        "There is no such switch",
    ),
    Requirement("recover.caller", "1.3", "Another agent's orphans are 403; a bad body is 400 first"),
    Requirement(
        "recover.none",
        "1.3",
        "Orphaned tasks are recovered",
        "None ever is: tasks are agent-swarm's own and not kept here",
    ),
    Requirement("life.busy", "ruling 10", "Open and busy from create to delete, then completed"),
    Requirement(
        "life.history",
        "design 2",
        "Deletes are hard",
        "The session and its log stay, with the reason of its end; the task id is free again",
    ),
    Requirement("life.swept", "ruling 10", "A sweep ends a session as expired, with the reason"),
    Requirement("life.stale", "design 2", "30 minutes without a beat are a label; only cleanup acts on it"),
    Requirement("life.restart", "1.3, ruling 10", "Sessions and their beats survive kill -9 of the server"),
    Requirement("life.message", "design 2", "A message to a driven session waits and starts no turn here"),
    Requirement(
        "errors.fuzz", "design 10", "Whatever is sent gets an answer in the dialect's own shape, never 5xx"
    ),
)

covers: Final = covering(REQUIREMENTS)
