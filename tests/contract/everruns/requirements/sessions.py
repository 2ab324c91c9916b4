"""Sessions themselves, credentials and errors."""

from typing import Final

from tests.contract.everruns.requirements.requirement import CLIENT, OPENAPI, OURS, Requirement

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
)
