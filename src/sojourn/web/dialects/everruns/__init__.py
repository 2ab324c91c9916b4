"""Everruns: sessions, messages and events of agents, as its management API offers them at `/v1` and `/api/v1`.

Sources: the vendor's published OpenAPI document, its documentation, and the shipped Python client, PyPI
`everruns-sdk` 0.3.1.
"""
