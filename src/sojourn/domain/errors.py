"""What can go wrong, as situations. A surface owns the table from `code` to its own status and shape.

DomainError
├── NotFound
├── InvalidRequest
├── Unauthenticated
├── Forbidden
│   └── SecretWithheld
├── Conflict
│   ├── AlreadyExists
│   ├── RevisionMismatch
│   ├── ContentMismatch
│   ├── IdempotencyMismatch
│   ├── SequenceMismatch
│   └── WrongState
├── LeaseLost
│   └── CallRefused
├── LimitExceeded
└── StoreUnavailable
"""

from typing import ClassVar


class DomainError(Exception):
    """A refusal that a caller can understand; the first argument is its one sentence."""

    code: ClassVar[str] = "error"


class NotFound(DomainError):
    code: ClassVar[str] = "not_found"

    def __init__(self, kind: str, id: object) -> None:
        super().__init__(f"There is no {kind} {id}.")
        self.kind = kind
        self.id = id


class InvalidRequest(DomainError):
    code: ClassVar[str] = "invalid_request"

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


class Unauthenticated(DomainError):
    code: ClassVar[str] = "unauthenticated"

    def __init__(self) -> None:
        super().__init__("The request carries no valid key.")


class Forbidden(DomainError):
    code: ClassVar[str] = "forbidden"

    def __init__(self, scope: str) -> None:
        super().__init__(f"The key lacks the scope {scope}.")
        self.scope = scope


class SecretWithheld(Forbidden):
    code: ClassVar[str] = "forbidden"

    def __init__(self, name: str) -> None:
        super().__init__(f"secret://{name}")
        self.args = (
            f"The worker's key is not given secret://{name}: that takes a key that was made with the secret's name.",
        )


class Conflict(DomainError):
    code: ClassVar[str] = "conflict"


class AlreadyExists(Conflict):
    code: ClassVar[str] = "already_exists"

    def __init__(self, kind: str, id: object) -> None:
        super().__init__(f"The {kind} {id} is there already.")
        self.kind = kind
        self.id = id


class RevisionMismatch(Conflict):
    code: ClassVar[str] = "revision_mismatch"

    def __init__(self, expected: int, actual: int) -> None:
        super().__init__(
            f"The record is at revision {actual}, not {expected}: read it again and repeat the change."
        )
        self.expected = expected
        self.actual = actual


class ContentMismatch(Conflict):
    code: ClassVar[str] = "content_mismatch"

    def __init__(self, kind: str, id: object) -> None:
        super().__init__(
            f"The {kind} {id} is not what was read any more: read it again and repeat the change."
        )
        self.kind = kind
        self.id = id


class SequenceMismatch(Conflict):
    code: ClassVar[str] = "sequence_mismatch"

    def __init__(self, expected: int, actual: int) -> None:
        super().__init__(f"The log ends at seq {actual}, not {expected}: something happened since.")
        self.expected = expected
        self.actual = actual


class IdempotencyMismatch(Conflict):
    code: ClassVar[str] = "idempotency_mismatch"

    def __init__(self, key: str) -> None:
        super().__init__(f"The idempotency key {key!r} was used with another request.")
        self.key = key


class WrongState(Conflict):
    code: ClassVar[str] = "wrong_state"

    def __init__(self, subject: str, state: str, command: str) -> None:
        article = "An" if subject[0] in "aeio" else "A"
        super().__init__(f"{article} {subject} that is {state} cannot {command}.")
        self.subject = subject
        self.state = state
        self.command = command


class LeaseLost(DomainError):
    """The fence moved on: the turn belongs to somebody else or to nobody, and the caller drops its work."""

    code: ClassVar[str] = "lease_lost"

    def __init__(self, session: object) -> None:
        super().__init__(f"The lease on session {session} is lost.")
        self.session = session


class CallRefused(LeaseLost):
    """A budget allows no further call. What the append reported is stored, what it announced is not.

    The same transaction has ended or parked the turn, so that its worker has nothing left to write.
    """

    code: ClassVar[str] = "call_refused"

    def __init__(self, session: object) -> None:
        super().__init__(session)
        self.args = (f"A budget allows session {session} no further call.",)


class LimitExceeded(DomainError):
    code: ClassVar[str] = "limit_exceeded"

    def __init__(self, limit: str, maximum: int, retry_after_seconds: float | None = None) -> None:
        super().__init__(f"The limit {limit} is {maximum}.")
        self.limit = limit
        self.maximum = maximum
        self.retry_after_seconds = retry_after_seconds


class StoreUnavailable(DomainError):
    """Nothing of the request was stored, or it is not known to be: repeat it with the same idempotency key."""

    code: ClassVar[str] = "store_unavailable"

    def __init__(self) -> None:
        super().__init__("The store is not available; repeat the request.")
