"""Benchmarks of a real server beside a floor, on one machine in one run. See README.md."""
