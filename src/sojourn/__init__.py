"""A self-hosted server for agent sessions."""

__version__ = "0.1.0"
