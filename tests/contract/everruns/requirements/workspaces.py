"""Workspaces and their files."""

from typing import Final

from tests.contract.everruns.requirements.sources import CLIENT, OPENAPI, OURS, SERVER
from tests.contract.requirement import Requirement

REQUIREMENTS: Final = (
    Requirement("workspace.of-session", OPENAPI, "A session's own workspace has the session's digits."),
    Requirement(
        "workspace.list", OPENAPI, "Workspaces are listed and searched by name; archived ones when asked for."
    ),
    Requirement(
        "workspace.standalone",
        OPENAPI,
        "A workspace can be made without a session and shared by several.",
        "Every session has its own and there is no other: POST is 400 with a code of its own.",
    ),
    Requirement(
        "workspace.change",
        OPENAPI,
        "A workspace is renamed and archived.",
        "It is its session's, which is changed instead: 409 with a code of its own.",
    ),
    Requirement("file.create", OPENAPI, "A file or directory is made: 201; what is there already is 409."),
    Requirement("file.read", OPENAPI, "A file is read as text or base64; a directory lists what is in it."),
    Requirement("file.list", OPENAPI, "The root is listed, at any depth if asked for."),
    Requirement("file.update", OPENAPI, "A PUT gives a file other content; one that is not there is 404."),
    Requirement("file.delete", CLIENT, "DELETE answers JSON that says whether anything was deleted."),
    Requirement("file.readonly", OPENAPI, "A read-only file is neither changed nor deleted: 403."),
    Requirement(
        "file.move", OPENAPI, "A file is moved, and copied to 201; a destination that is there is 409."
    ),
    Requirement("file.grep", OPENAPI, "Files are searched by a regular expression; a bad one is 400."),
    Requirement("file.stat", OPENAPI, "A file, a directory and the root are described."),
    Requirement("file.reserved", SERVER, "Paths that begin with _ are reserved."),
    Requirement("file.download", OPENAPI, "A file is downloaded as its bytes."),
    Requirement("file.paths", OURS, "A path that leads out of the workspace, or is none, is refused."),
    Requirement(
        "file.event",
        OPENAPI,
        "A write of a file is told as file.written: the path as in a list, the bytes, and whether it is a new file.",
        "The log does not say whether a file was there before: `created` is always false.",
    ),
    Requirement(
        "file.starter",
        OPENAPI,
        "A session begins with its agent's starter files and then its own, which count where both have a path.",
    ),
    Requirement("file.natively", OURS, "The files are those of the session, whoever wrote them."),
    Requirement("file.org", OURS, "Another organisation's files are not found, by any verb."),
    Requirement(
        "file.client", CLIENT, "The shipped client reads, writes, moves, searches and deletes files."
    ),
    Requirement(
        "files.fuzz",
        OURS,
        "Whatever is sent about files, budgets and channels is answered in the dialect's way.",
    ),
)
