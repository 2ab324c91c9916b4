"""Everruns' paths, a module for each resource; each gives its own with `routes(server)`."""
