"""The runtime of AWS Bedrock AgentCore: agents are invoked, and their sessions stopped."""
