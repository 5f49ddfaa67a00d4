"""How an alert travels: the one place that knows, with the meaning everything has in Alertmanager.

The relay, ``explain``, ``test``, ``simulate`` and the checks all ask here, so that they cannot disagree.

- :mod:`~homelabmon.routing.tree`: the route tree, what each route inherits, which routes an alert takes, its groups
- :mod:`~homelabmon.routing.trace`: every matcher that was tried on the way
- :mod:`~homelabmon.routing.inhibit`: which alert silences which
- :mod:`~homelabmon.routing.intervals`: when a route is mute or active
- :mod:`~homelabmon.routing.reach`: routes that can never match, or change nothing
- :mod:`~homelabmon.routing.timing`: when: rules, groups, repetitions and replicas in virtual time

May import: :mod:`homelabmon.errors`, :mod:`homelabmon.spec` and the standard library.
"""
