"""The way of an alert through the stack that runs: who hears about it, when, how often.

Asked by ``explain``, ``test`` and ``simulate``. Everything is read from what is rendered, raw ``values:`` and the
owner's templates included, never from what was meant.

- :mod:`~homelabmon.journey.rules`: the alerting rules there are, wherever they come from
- :mod:`~homelabmon.journey.running`: everything that decides about an alert, from a stack and what it renders to
- :mod:`~homelabmon.journey.ways`: where an alert with some labels goes

May import: errors, spec, routing, components, notifiers, source, stack, load, checks, render, relay.
"""
