"""Golden beside other simulators, each in an environment of its own, in one run.

``TASK.py`` has the networks of a family as numpy arrays, ``TASK_peers.py`` the same in each peer,
``TASK_golden.py`` in golden. Only the last imports Spikelet, so a peer's environment needs numpy
and the peer alone.
"""
