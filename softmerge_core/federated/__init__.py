"""Federated learning: in each round clients train on their own shards, and a server merges what they send.

Start reading at ``server.py``. Each algorithm is one file in ``algorithms/``.
"""
