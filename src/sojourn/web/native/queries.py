"""Query strings of the native API, one struct each."""

from typing import Annotated, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType, field

from sojourn.domain.file import MAX_PATH
from sojourn.domain.memory import MAX_MEMORY_PATH_BYTES
from sojourn.domain.pools import DEFAULT_POOL
from sojourn.service.memories import MAX_SEARCHED_CHARACTERS
from sojourn.web.native.model_wire import ModelName
from sojourn.web.native.session_wire import Activity, SessionStatus
from sojourn.web.native.turn_wire import InputStatus
from sojourn.web.native.wire import ExternalId, Holder, Instant, Path, RunnerKind
from sojourn.web.native.worker_wire import Pool, WorkerName

Limit = Annotated[int, Meta(ge=1, le=1000)]
Cursor = Annotated[str, Meta(max_length=200, description="`next_cursor` of the page before.")]
# It holds a path, whose characters may take four bytes each.
FileCursor = Annotated[str, Meta(max_length=3000, description="`next_cursor` of the page before.")]
# Likewise, of a path counted in bytes.
MemoryCursor = Annotated[str, Meta(max_length=1500, description="`next_cursor` of the page before.")]
MemoryPathText = Annotated[str, Meta(min_length=1, max_length=MAX_MEMORY_PATH_BYTES)]
Flag = Literal["true", "false"]
Seq = Annotated[int, Meta(ge=0, le=2**63 - 1, description="The seq of the last event already seen.")]
Text = Annotated[str, Meta(max_length=1000)]
# Lists are short: the HTTP parser takes request lines of at most 64 KiB, and answers longer ones itself.
QueriedTags = Annotated[list[Annotated[str, Meta(max_length=200)]], Meta(max_length=16)]
EventTypes = Annotated[list[Annotated[str, Meta(max_length=50)]], Meta(max_length=50)]


class NoQuery(Struct, forbid_unknown_fields=True):
    pass


class Page(Struct, forbid_unknown_fields=True):
    limit: Limit = 20
    cursor: Cursor | UnsetType = UNSET


class AgentList(Struct, forbid_unknown_fields=True):
    """`search` is found in an agent's name or description."""

    search: Text | UnsetType = UNSET
    archived: Literal["true", "false", "any"] = "false"
    order: Literal["asc", "desc"] = "asc"
    limit: Limit = 20
    cursor: Cursor | UnsetType = UNSET


class AgentVersionQuery(Struct, forbid_unknown_fields=True):
    version: Annotated[int, Meta(ge=1, le=2**31 - 1)] | UnsetType = UNSET


class SessionList(Struct, forbid_unknown_fields=True):
    """`status` and `activity` match any of their values, `tag` and `metadata.<key>` all of them."""

    status: Annotated[list[SessionStatus], Meta(max_length=16)] = []
    activity: Annotated[list[Activity], Meta(max_length=16)] = []
    agent: Text | UnsetType = UNSET
    tag: QueriedTags = []
    metadata: dict[str, Text] = {}
    external_id: Text | UnsetType = UNSET
    forked_from: UUID | UnsetType = UNSET
    parent: UUID | UnsetType = UNSET
    alias: Text | UnsetType = UNSET
    created_after: Instant | UnsetType = UNSET
    created_before: Instant | UnsetType = UNSET
    archived: Literal["true", "false", "any"] = "false"
    order: Literal["asc", "desc"] = "desc"
    limit: Limit = 20
    cursor: Cursor | UnsetType = UNSET


class TreeQuery(Struct, forbid_unknown_fields=True):
    limit: Limit = 200


class InputList(Struct, forbid_unknown_fields=True):
    status: InputStatus | UnsetType = UNSET
    limit: Limit = 20
    cursor: Cursor | UnsetType = UNSET


class AskList(Struct, forbid_unknown_fields=True):
    status: Literal["open", "any"] = "open"
    limit: Limit = 20
    cursor: Cursor | UnsetType = UNSET


class EventList(Struct, forbid_unknown_fields=True):
    after: Seq = 0
    limit: Limit = 20
    type: EventTypes = []


class EventStreamQuery(Struct, forbid_unknown_fields=True):
    after: Seq = 0


class Import(Struct, forbid_unknown_fields=True):
    """`agent` is the one of the file if it is left out, by its id or its name.

    The session keeps its `id` unless that is taken here.
    """

    agent: Text | UnsetType = UNSET
    external_id: ExternalId | UnsetType = UNSET
    id: Literal["keep", "new"] = "keep"


class Export(Struct, forbid_unknown_fields=True):
    """Without `files` the contents of the session's files are left out, and no import can be made of the export."""

    files: Flag = "true"


class FilePath(Struct, forbid_unknown_fields=True):
    path: Path


class FileList(Struct, forbid_unknown_fields=True):
    """`directory` is the area itself if it is left out."""

    directory: Annotated[str, Meta(max_length=MAX_PATH)] = ""
    recursive: Flag = "false"
    limit: Limit = 100
    cursor: FileCursor | UnsetType = UNSET


class FileWrite(Struct, forbid_unknown_fields=True):
    path: Path
    readonly: Flag = "false"


class FileDelete(Struct, forbid_unknown_fields=True):
    """A directory that is not empty is deleted only if `recursive`."""

    path: Path
    recursive: Flag = "false"


class MemoryList(Struct, forbid_unknown_fields=True):
    """`directory` is the whole memory if it is left out."""

    directory: Annotated[str, Meta(max_length=MAX_MEMORY_PATH_BYTES)] = ""
    limit: Limit = 100
    cursor: MemoryCursor | UnsetType = UNSET


class MemoryPath(Struct, forbid_unknown_fields=True):
    path: MemoryPathText


class MemoryChange(Struct, forbid_unknown_fields=True):
    """With `if_sha256` the change is made only of the text of that digest, or with `none` only where nothing is."""

    path: MemoryPathText
    if_sha256: Annotated[str, Meta(pattern="^([0-9a-f]{64}|none)$")] | UnsetType = UNSET


class TurnMemoryList(Struct, forbid_unknown_fields=True):
    """`directory` is the whole memory if it is left out."""

    directory: Annotated[str, Meta(max_length=MAX_MEMORY_PATH_BYTES)] = ""


class MemorySearch(Struct, forbid_unknown_fields=True):
    query: Annotated[str, Meta(min_length=1, max_length=MAX_SEARCHED_CHARACTERS)]


class PresenceQuery(Struct, forbid_unknown_fields=True):
    holder: Holder


# A page of this many entries with large data has some megabytes.
MOST_ENTRIES = 1000


class WorkerQuery(Struct, forbid_unknown_fields=True):
    """`pool` is that of the turns of `external` agents."""

    worker: WorkerName
    runner: Annotated[list[RunnerKind], Meta(max_length=4)] = field(default_factory=lambda: ["external"])
    pool: Pool = DEFAULT_POOL
    limit: Limit = 100


class NamedModel(Struct, forbid_unknown_fields=True):
    """`provider/model`, or a name that the organisation has stored."""

    name: ModelName


class Entries(Struct, forbid_unknown_fields=True):
    """With `wait_seconds` the answer waits for an entry where there is none yet."""

    after: Seq = 0
    limit: Limit = MOST_ENTRIES
    wait_seconds: Annotated[int, Meta(ge=0, le=30)] = 0
