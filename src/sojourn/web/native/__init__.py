"""Sojourn's own API, at `/sojourn/v1`."""
