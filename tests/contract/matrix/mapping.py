"""The word that each dialect has for each state of a session, as data: the tests and the documentation read it.

The states are those of `states.py`. None says that the dialect does not show a session in that state.
"""

from collections.abc import Mapping
from typing import Final

NATIVE: Final[Mapping[str, str | None]] = {
    "never ran": "open/idle",
    "queued": "open/queued",
    "starting": "open/starting",
    "busy": "open/busy",
    "waiting": "open/waiting",
    "waiting for a program's permission": "open/waiting",
    "waiting for a session it has started": "open/waiting",
    "retrying": "open/retrying",
    "idle after a turn": "open/idle",
    "rewound to its beginning": "open/idle",
    "opened again": "open/idle",
    "driven from outside": "open/busy",
    "completed": "completed/idle",
    "completed for good": "completed/idle",
    "completed, its log cut": "completed/idle",
    "failed": "failed/idle",
    "cancelled": "cancelled/idle",
    "expired": "expired/idle",
    "expired in a turn": "expired/idle",
}
KODEXA: Final[Mapping[str, str | None]] = {
    "never ran": "PENDING",
    "queued": "PENDING",
    "starting": "PENDING",
    "busy": "ACTIVE",
    "waiting": "IDLE",
    "waiting for a program's permission": "IDLE",
    "waiting for a session it has started": "IDLE",
    "retrying": "PENDING",
    "idle after a turn": "IDLE",
    "rewound to its beginning": "IDLE",
    "opened again": "IDLE",
    "driven from outside": "ACTIVE",
    "completed": "TERMINATED",
    "completed for good": "TERMINATED",
    "completed, its log cut": "TERMINATED",
    "failed": "FAILED",
    "cancelled": "TERMINATED",
    "expired": "EXPIRED",
    "expired in a turn": "EXPIRED",
}
AGENT_SWARM: Final[Mapping[str, str | None]] = {
    state: "a row" if state == "driven from outside" else None for state in NATIVE
}
MEMBRANE: Final[Mapping[str, str | None]] = {
    "never ran": "queued/idle",
    "queued": "queued/busy",
    "starting": "starting/busy",
    "busy": "running/busy",
    "waiting": "running/idle",
    "waiting for a program's permission": "running/idle",
    "waiting for a session it has started": "running/idle",
    "retrying": "running/busy",
    "idle after a turn": "running/idle",
    "rewound to its beginning": "running/idle",
    "opened again": "running/idle",
    "driven from outside": "running/busy",
    "completed": "completed/idle",
    "completed for good": "completed/idle",
    "completed, its log cut": "completed/idle",
    "failed": "failed/idle",
    "cancelled": "cancelled/idle",
    "expired": "completed/idle",
    "expired in a turn": "failed/idle",
}
EVERRUNS: Final[Mapping[str, str | None]] = {
    "never ran": "started",
    "queued": "active",
    "starting": "active",
    "busy": "active",
    "waiting": "waitingfortoolresults",
    "waiting for a program's permission": "waitingfortoolresults",
    "waiting for a session it has started": "active",
    "retrying": "active",
    "idle after a turn": "idle",
    "rewound to its beginning": "idle",
    "opened again": "idle",
    "driven from outside": "active",
    "completed": "idle, finished",
    "completed for good": "idle, finished",
    "completed, its log cut": "idle, finished",
    "failed": "idle, finished",
    "cancelled": "idle, finished",
    "expired": "idle, finished",
    "expired in a turn": "idle, finished",
}

WORDS: Final[Mapping[str, Mapping[str, str | None]]] = {
    "native": NATIVE,
    "Kodexa": KODEXA,
    "agent-swarm": AGENT_SWARM,
    "Membrane": MEMBRANE,
    "Everruns": EVERRUNS,
}
