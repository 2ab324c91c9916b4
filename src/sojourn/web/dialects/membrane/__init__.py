"""Membrane (formerly integration.app): agent sessions, as its API offers them.

Sources: the vendor's OpenAPI (tag *Sessions*), the shipped SDK (npm `@membranehq/sdk` 0.28: its schemas and its
client), and the vendor's documentation and example applications.
"""
