"""The use cases: the only door to sessions for surfaces, workers and tests."""
