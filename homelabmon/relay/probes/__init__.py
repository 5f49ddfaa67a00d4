"""Probes from outside: asks endpoints, decides what is down, tells it by the ways of the relay's own alerts.

``targets`` (what a configuration asks) ← ``checks`` (one question, over the network) and ``state`` (what an answer
makes of a probe, pure) ← ``records`` (the disk), ``judging`` (who is told of, parents first, pure), ``telling`` (in
which words) ← ``keeper`` (answers to disk) ← ``rounds`` (who is asked when) ← ``parts``, which the service wires.
Nothing but ``checks`` touches the network.
"""
