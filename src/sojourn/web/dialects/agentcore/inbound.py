"""The runtime's requests in our values. Pure."""

import hashlib
import re
from collections.abc import Callable
from typing import Final
from urllib.parse import unquote

import msgspec

from sojourn.domain.errors import InvalidRequest
from sojourn.domain.ids import KeyId
from sojourn.domain.policy import Policy
from sojourn.service.results import Repeat
from sojourn.service.sessions import NewSession
from sojourn.web.dialects.agentcore import wire
from sojourn.web.kit.values import refuse_nul

DIALECT: Final = "agentcore"
# The vendor's defaults: 15 minutes without an invocation, 8 hours in all.
POLICY: Final = Policy(idle_timeout_seconds=900, max_lifetime_seconds=28_800)
MAX_ARN: Final = 2048

_SESSION: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_-]{32,255}")
# `Credential=<access key id>/<date>/<region>/<service>/aws4_request`; SigV4A has no region. The id may hold slashes.
_CREDENTIAL: Final = re.compile(r"(?P<id>.+?)/\d{8}(?:/[^/]+){1,2}/aws4_request")
_SIGNED: Final = re.compile(r"AWS4-[A-Z0-9-]+\s+(?:.*,\s*)?Credential=(?P<credential>[^,\s]+)(?:,.*)?")
_PRESIGNED: Final = re.compile(rb"(?:^|&)X-Amz-Credential=(?P<credential>[^&]+)")
_WEIGHT: Final = re.compile(r"q=(?P<value>0(?:\.\d{0,3})?|1(?:\.0{0,3})?)", re.ASCII)
# The first that is there says how much JSON is liked.
_JSON_RANGES: Final = ("application/json", "application/*", "*/*")
_RUNTIME: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9_]{0,99}-[a-zA-Z0-9]{10}")
_INVOCATION: Final = re.compile(r"[\x21-\x7e]{1,255}")

Header = Callable[[bytes], str | None]


def token(header: Header, query: bytes) -> str | None:
    """The Sojourn key of a request, which is its access key id or its bearer token; None where there is none.

    The server keeps a hash of each key and nothing that could check a signature, so none is checked: whoever knows
    the access key id has the key.
    """
    authorization = header(b"authorization")
    if authorization is None:
        presigned = _PRESIGNED.search(query)
        if presigned is None:
            return None
        return _access_key_id(unquote(presigned["credential"].decode("latin-1")))
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip() or None
    signed = _SIGNED.fullmatch(authorization)
    return None if signed is None else _access_key_id(signed["credential"])


def _access_key_id(credential: str) -> str | None:
    found = _CREDENTIAL.fullmatch(credential)
    return None if found is None else found["id"]


def session_id(header: Header) -> str | None:
    """The runtime's session id; None without the header."""
    id = header(wire.SESSION)
    if id is not None and _SESSION.fullmatch(id) is None:
        problem = (
            "must be 33 to 256 letters, digits, hyphens and underscores, the first of them a letter or digit"
        )
        raise InvalidRequest("runtimeSessionId", problem)
    return id


def agent_names(arn: str) -> tuple[str, ...]:
    """What the agent of a runtime may be called: as its id `name-0123456789`, or as its name."""
    id = arn.rpartition("/")[2]
    return (id, id[:-11]) if _RUNTIME.fullmatch(id) else ()


def new_session(arn: str, agent: str | None, query: wire.Query, header: Header) -> NewSession:
    """The session to make where the id has none. The runtime that was named is kept."""
    if len(arn) > MAX_ARN:
        raise InvalidRequest("agentRuntimeArn", f"must not be longer than {MAX_ARN} characters")
    user = header(b"x-amzn-bedrock-agentcore-runtime-user-id")
    refuse_nul(user, "runtimeUserId")
    facet = wire.Facet(arn, query.qualifier, query.account_id, user)
    return NewSession(
        agent=agent, origin=DIALECT, policy=POLICY, facet=(DIALECT, msgspec.json.encode(facet).decode())
    )


def repeat(
    key: KeyId, said: str | None, sdk: str | None, session: str | None, payload: bytes
) -> Repeat | None:
    """How an invocation is told when it comes again: by its key, or by the id that the vendor's clients give a call.

    Those clients send a call again when its answer takes too long, under the same id; it must not start a second turn.
    """
    name = said or (sdk if sdk is not None and _INVOCATION.fullmatch(sdk) else None)
    if name is None:
        return None
    return Repeat(key, "agentcore.invoke", name, hashlib.sha256(f"{session}\n".encode() + payload).digest())


def repeated_stop(key: KeyId, stop: wire.Stop, session: str) -> Repeat | None:
    if stop.client_token is None:
        return None
    return Repeat(key, "agentcore.stop", stop.client_token, hashlib.sha256(session.encode()).digest())


def wants_stream(accept: str | None) -> bool:
    """Whether `Accept` names event streams, and likes JSON no better (RFC 9110 section 12.5.1)."""
    weights = dict(_weighed(media) for media in (accept or "").lower().split(","))
    stream = weights.get("text/event-stream", 0.0)
    json = next((weights[media] for media in _JSON_RANGES if media in weights), 0.0)
    return stream > 0 and stream >= json


def _weighed(media: str) -> tuple[str, float]:
    """A media range and its weight, which is 1 where none can be read."""
    type, *parameters = (part.strip() for part in media.split(";"))
    weights = (_WEIGHT.fullmatch(parameter) for parameter in parameters)
    return type, next((float(weight["value"]) for weight in weights if weight is not None), 1.0)
