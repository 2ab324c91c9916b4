"""Kodexa: orchestrator agent sessions, as its platform's API offers them.

Sources: developer.kodexa.ai (the resource's page, made from the platform's OpenAPI, and the pages on paging and
filters) and the shipped Python client, PyPI `kodexa` 7.4.
"""
