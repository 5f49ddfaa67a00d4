"""Alerts become incidents: a pure state machine over what senders told, with the time as an argument.

- :mod:`~homelabmon.relay.incidents.notice`: what a sender told
- :mod:`~homelabmon.relay.incidents.model`: episodes, incidents, posts; what of them changed
- :mod:`~homelabmon.relay.incidents.book`: takes deliveries, waits out holds, opens and ends incidents
- :mod:`~homelabmon.relay.incidents.telling`: what each channel is to be told next, and what came of it
- :mod:`~homelabmon.relay.incidents.views`: an incident as a message shows it

No I/O, no clock, no randomness: the service persists what changed, and ``simulate`` runs the same code in virtual time.
May import: spec, routing, notifiers and the standard library.
"""
