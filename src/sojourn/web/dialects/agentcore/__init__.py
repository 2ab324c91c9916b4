"""The runtime of AWS Bedrock AgentCore: agents are invoked, and their sessions stopped.

    boto3.client(
        "bedrock-agentcore",
        endpoint_url="http://127.0.0.1:3013",
        region_name="us-west-2",
        aws_access_key_id=SOJOURN_KEY,
        aws_secret_access_key="not looked at",
    )

Sources: botocore's model of the service, 2024-02-28; the vendor's developer guide; what PyPI `bedrock-agentcore`
answers for an agent.
"""
