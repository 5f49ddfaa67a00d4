"""What channels would be told: alerts through rules, Alertmanager and the relay in virtual time.

Asked by ``simulate`` and ``test``. Pure but for reading files, and history by HTTP where the owner names an address.

- :mod:`~homelabmon.simulation.timeline`: a file that says what happens when
- :mod:`~homelabmon.simulation.story`: what happens, as Alertmanager and the services hear it
- :mod:`~homelabmon.simulation.world`: lets a story happen to a stack; every message with its time
- :mod:`~homelabmon.simulation.service`: the relay, or the outpost, in virtual time: its own book, and Discord's limits
- :mod:`~homelabmon.simulation.history`: what has happened, from Prometheus
- :mod:`~homelabmon.simulation.counts`: how many messages each channel has had
- :mod:`~homelabmon.simulation.expectations`: the stack's ``tests:``

May import: errors, spec, source, wording, routing, components, notifiers, stack, load, journey, and of the relay its
book, its routes and its limits (``relay.incidents``, ``relay.routes``, ``relay.delivery.limits``).
"""
