"""Agents, and what they are made of: harnesses, models, capabilities."""

from typing import Final

from tests.contract.everruns.requirements.sources import CLIENT, OPENAPI, OURS, SERVER
from tests.contract.requirement import Requirement

REQUIREMENTS: Final = (
    Requirement(
        "agent.create", OPENAPI, "A new agent is answered with 201 and every field the client requires."
    ),
    Requirement("agent.fields", OPENAPI, "All that a client says of an agent is given back as it was said."),
    Requirement(
        "agent.upsert",
        CLIENT,
        "A POST with the id, or else the name, of an agent that is there changes it: 200.",
    ),
    Requirement("agent.put", OPENAPI, "A PUT by id or name makes the agent, 201, or changes it, 200."),
    Requirement(
        "agent.patch", OPENAPI, "A PATCH changes what it names and leaves the rest; null names nothing."
    ),
    Requirement("agent.get", OPENAPI, "An agent is read by its id or its name; a malformed id is 400."),
    Requirement("agent.archive", OPENAPI, "DELETE archives: 204; the agent is still read, as archived."),
    Requirement(
        "agent.archived-sessions", SERVER, "An archived agent is given no new session; its sessions go on."
    ),
    Requirement(
        "agent.archived-applied",
        SERVER,
        "The name of an archived agent stays taken.",
        "Applying a definition to its name or id takes it back into use, where the vendor answers 409.",
    ),
    Requirement(
        "agent.default",
        OURS,
        "Any agent can be archived.",
        "The organisation's default agent cannot, as sessions that name no agent have it: 409.",
    ),
    Requirement(
        "agent.copy",
        OPENAPI,
        "A copy has the same configuration and a name of its own.",
        "It is called name-copy, as the vendor's own `name (copy)` is no addressable name.",
    ),
    Requirement(
        "agent.links",
        OPENAPI,
        "An agent says where it is and what may be done with it; pages, their neighbours.",
    ),
    Requirement("agent.list", OPENAPI, "Agents are listed newest first, 20 of at most 100, with the total."),
    Requirement("agent.search", OPENAPI, "search is found in name or description, in either case."),
    Requirement("agent.names", CLIENT, "A name is of lower-case letters, digits and hyphens, at most 64."),
    Requirement("agent.limits", OPENAPI, "What exceeds a limit is refused with one sentence."),
    Requirement(
        "agent.capabilities", SERVER, "An unknown or unavailable capability is refused, never dropped."
    ),
    Requirement("agent.files", SERVER, "An agent with starter files has the file system."),
    Requirement(
        "agent.tools", OPENAPI, "An agent's tools are carried out by the client; each has its own name."
    ),
    Requirement(
        "agent.tools-run", OPENAPI, "A turn of the agent waits for the client to carry out its tools."
    ),
    Requirement(
        "agent.model", SERVER, "default_model_id is one of the models that are there; another is 404."
    ),
    Requirement(
        "agent.model-name",
        OURS,
        "A model is named by its id.",
        "A model's own name, provider/name, is taken too: a server here is configured by names.",
    ),
    Requirement(
        "agent.harness",
        OPENAPI,
        "harness_id and harness_name exclude each other; an unknown one is 404.",
        "What a coding agent or a container is run with is said natively: 400 for one of which it is not known.",
    ),
    Requirement("agent.repeat", OURS, "A POST with an Idempotency-Key can be repeated."),
    Requirement("agent.natively", OURS, "An agent that was made natively shows here, and the reverse."),
    Requirement(
        "agent.native-rest", OURS, "What only the core knows of an agent outlives a change made here."
    ),
    Requirement("agent.stats", CLIENT, "What an agent's sessions come to is told: counts, tokens, times."),
    Requirement("agent.check-name", OPENAPI, "Whether a name is free is told, with one agent left out."),
    Requirement("agent.org", OURS, "Another organisation's agent is not found, by any verb."),
    Requirement("agent.role", OURS, "A worker's key changes no agent: 403."),
    Requirement(
        "catalogue.capabilities",
        CLIENT,
        "Capabilities are searched and paged.",
        "They are those of the server's catalogue that need no configuration, by the vendor's id if there is one.",
    ),
    Requirement("catalogue.capability", CLIENT, "A capability has a schema of its configuration."),
    Requirement(
        "catalogue.harnesses",
        CLIENT,
        "Harnesses are listed, searched and read.",
        "They are the kinds of runner, built in, and cannot be made or changed: 405.",
    ),
    Requirement("catalogue.harness-examples", CLIENT, "The examples of harnesses are a bare array."),
    Requirement(
        "catalogue.stored",
        OURS,
        "A model that an organisation has stored is listed as manual, under what its name stands for.",
    ),
    Requirement(
        "catalogue.models",
        CLIENT,
        "Models are listed and read by id.",
        "They are the server's default, the simulated ones and those of agents in use; model_id is provider/name.",
    ),
    Requirement("catalogue.simulated", OURS, "A simulated model is shown as one, of the vendor llmsim."),
    Requirement(
        "agents.client", CLIENT, "The shipped client makes, applies, copies, lists and archives agents."
    ),
    Requirement(
        "catalogue.client", CLIENT, "The shipped client reads capabilities, harnesses, examples and models."
    ),
    Requirement("agents.fuzz", OURS, "Whatever is sent, the answer is one of the dialect's own."),
)
