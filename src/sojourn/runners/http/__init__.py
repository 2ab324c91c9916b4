"""The http runner: an agent is an app behind HTTP that keeps the contract of AgentCore's containers."""
