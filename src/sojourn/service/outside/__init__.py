"""The worker's protocol for workers outside of the server's processes: the same writes, with nothing taken on trust.

A worker outside holds its turns by a TTL wherever the server keeps them: its life is not that of the server's process.
"""
