"""Heartbeats: what should have run says so by a ping, and whoever is silent for too long is told of.

- :mod:`~homelabmon.relay.heartbeats.schedules`: when the next run is expected
- :mod:`~homelabmon.relay.heartbeats.state`: what a ping makes of one, and when it is missed
"""
