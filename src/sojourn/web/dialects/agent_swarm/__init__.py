"""agent-swarm's active sessions: a worker says which task it works on, and that it is still alive."""
