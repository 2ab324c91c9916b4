"""docs/reference/limits.md: the numbers that the server goes by, from where they stand in the code."""

from datetime import timedelta

from scripts.docs_pages.markdown import compose, table
from sojourn.domain.agent import DEFAULT_MODEL_CALLS
from sojourn.domain.budgeting import MAX_BUDGETS
from sojourn.domain.client_tools import MAX_CLIENT_TOOLS, MAX_DESCRIPTION, MAX_PARAMETERS_BYTES
from sojourn.domain.export import MAX_LINE_BYTES
from sojourn.domain.file import MAX_FILE_BYTES, MAX_FILES, MAX_INITIAL_BYTES, MAX_INITIAL_FILES, MAX_PATH
from sojourn.domain.memory import (
    MAX_MEMORIES,
    MAX_MEMORIES_BYTES,
    MAX_MEMORY_BYTES,
    MAX_MEMORY_PATH_BYTES,
)
from sojourn.domain.policy import DEFAULT_START_SECONDS
from sojourn.domain.queue import MAX_QUEUED
from sojourn.domain.turning import MAX_FAULTS, MAX_STALLED
from sojourn.runners.backoff import MAX_HINT_SECONDS
from sojourn.runners.model.fetch import FETCH_BYTES, FETCH_CHARACTERS, FETCH_REDIRECTS, FETCH_SECONDS
from sojourn.runners.model.loop import (
    MAX_SAME_ROUNDS,
    MODEL_SECONDS,
    TOOL_SECONDS,
)
from sojourn.runners.model.shell import (
    DEFAULT_SECONDS,
    MOST_AREA_BYTES,
    MOST_RUNNING,
    MOST_SECONDS,
)
from sojourn.runners.shell.command import MOST_CHANGED, MOST_CHANGED_BYTES
from sojourn.runners.shell.output import MOST_SAID_BYTES
from sojourn.service.access import CACHE_SECONDS
from sojourn.service.areas import MAX_MOVED
from sojourn.service.claims import LEASE_TTL_SECONDS
from sojourn.service.codec import INLINE_BYTES
from sojourn.service.forks import PIECE
from sojourn.service.grep import MAX_MATCHES, MAX_PATTERN, MAX_SEARCHED_BYTES, SEARCH_SECONDS
from sojourn.service.memories import MAX_FOUND
from sojourn.service.overlays import MAX_OVERLAY_BYTES
from sojourn.service.rewinds import MAX_RESTORED
from sojourn.service.upkeep import IDEMPOTENCY_AGE, TICK_SECONDS
from sojourn.web.dialects.agentcore.routes import PAYLOAD_LIMIT
from sojourn.web.kit.body import BODY_LIMIT
from sojourn.web.kit.values import MAX_DEPTH
from sojourn.web.native.exports import IMPORT_LIMIT
from sojourn.web.native.inbound import MAX_ANSWER_BYTES, MAX_KEYS, MAX_OBJECT_BYTES
from sojourn.worker.loop import POLL_SECONDS


def page() -> str:
    return compose(
        "Limits",
        "constants in src/sojourn",
        table(["what", "how much"], [*_requests(), *_files(), *_turns(), *_upkeep()]),
    )


def _requests() -> list[list[str]]:
    return [
        ["body of a request", _size(BODY_LIMIT)],
        ["payload of an AgentCore invocation", f"{PAYLOAD_LIMIT:,} bytes"],
        [
            "`metadata` and other free objects",
            f"{MAX_KEYS} keys, {_size(MAX_OBJECT_BYTES)} of JSON, {MAX_DEPTH} levels",
        ],
        ["what a session adds to its agent", f"{_size(MAX_OVERLAY_BYTES)} of JSON"],
        [
            "client tools of an agent or a session",
            f"{MAX_CLIENT_TOOLS}, each {MAX_DESCRIPTION:,} characters and {_size(MAX_PARAMETERS_BYTES)} of parameters",
        ],
        ["answer to an ask", _size(MAX_ANSWER_BYTES)],
        ["data of an event that is kept in the log itself; more becomes a blob", _size(INLINE_BYTES)],
        ["queued inputs of a session; then 429 with `Retry-After`", f"{MAX_QUEUED:,}"],
        ["budgets of a session that are not disabled; then 429", str(MAX_BUDGETS)],
        ["events that one transaction copies for a fork", f"{PIECE:,}"],
        ["exported session that is imported", _size(IMPORT_LIMIT)],
        ["line of an exported session", _size(MAX_LINE_BYTES)],
        ["file changes that a rewind makes", f"{MAX_RESTORED:,}"],
        ["how long an `Idempotency-Key` is remembered", _hours(IDEMPOTENCY_AGE)],
        ["how long another process may still take a revoked key", f"{CACHE_SECONDS:g} s"],
    ]


def _files() -> list[list[str]]:
    return [
        ["file of a session", f"{_size(MAX_FILE_BYTES)}, a path of {MAX_PATH} characters"],
        ["files and directories of a session", f"{MAX_FILES:,}"],
        ["files that a session is made with", f"{MAX_INITIAL_FILES}, {_size(MAX_INITIAL_BYTES)} together"],
        ["memory of an agent", f"{MAX_MEMORY_BYTES:,} bytes, a path of {MAX_MEMORY_PATH_BYTES:,} bytes"],
        ["memories of an agent", f"{MAX_MEMORIES:,}, {MAX_MEMORIES_BYTES:,} bytes together"],
        ["lines that a search in a memory finds", str(MAX_FOUND)],
        ["entries that are moved or copied at once", f"{MAX_MOVED:,}"],
        [
            "search in files: time, text, pattern, matches",
            f"{SEARCH_SECONDS:g} s, {_size(MAX_SEARCHED_BYTES)}, {MAX_PATTERN:,} characters, {MAX_MATCHES:,} matches",
        ],
    ]


def _turns() -> list[list[str]]:
    return [
        [
            "lease of a turn on Postgres",
            f"{LEASE_TTL_SECONDS:g} s, renewed every {LEASE_TTL_SECONDS / 3:g} s",
        ],
        ["time for a runner to start, unless policy says another", f"{DEFAULT_START_SECONDS:g} s"],
        ["claims in a row without progress before a turn fails", str(MAX_STALLED)],
        ["passing faults in a row that are retried", str(MAX_FAULTS)],
        ["model calls of a turn, where its agent says nothing (`max_model_calls`)", str(DEFAULT_MODEL_CALLS)],
        ["rounds in a row of the same tool calls with the same results", str(MAX_SAME_ROUNDS)],
        ["wait that a provider may ask for", f"{MAX_HINT_SECONDS:g} s"],
        ["time for one model call", f"{MODEL_SECONDS:g} s"],
        ["time for one tool call", f"{TOOL_SECONDS:g} s"],
        ["time for one page that is fetched", f"{FETCH_SECONDS:g} s"],
        ["bytes of a page that is fetched", str(FETCH_BYTES)],
        ["characters of its text that a model gets at once", str(FETCH_CHARACTERS)],
        ["redirects on the way to it", str(FETCH_REDIRECTS)],
        ["time for one command in a sandbox", f"{DEFAULT_SECONDS} s, up to {MOST_SECONDS} s if it says so"],
        ["commands that run side by side in a process", str(MOST_RUNNING)],
        ["files of a session that has commands", _size(MOST_AREA_BYTES)],
        ["what a command changes and is kept", f"{MOST_CHANGED:,} files, {_size(MOST_CHANGED_BYTES)}"],
        ["what a command prints; then it is killed", _size(MOST_SAID_BYTES)],
    ]


def _upkeep() -> list[list[str]]:
    return [
        ["how often leases and deadlines are looked at", f"every {TICK_SECONDS:g} s"],
        ["how often a worker looks for turns that nobody told it of", f"every {POLL_SECONDS:g} s"],
    ]


def _size(count: int) -> str:
    return f"{count // 1024**2} MiB" if count >= 1024**2 else f"{count // 1024} KiB"


def _hours(age: timedelta) -> str:
    return f"{age / timedelta(hours=1):g} h"
