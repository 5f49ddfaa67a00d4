"""Heartbeats: what should have run says so by a ping, and whoever is silent for too long is told of.

- :mod:`~homelabmon.relay.heartbeats.schedules`: when the next run is expected
- :mod:`~homelabmon.relay.heartbeats.state`: what a ping makes of one, and when it is missed
- :mod:`~homelabmon.relay.heartbeats.beats`: those of a configuration
- :mod:`~homelabmon.relay.heartbeats.records`: what the disk has of them
- :mod:`~homelabmon.relay.heartbeats.keeper`: hears pings, and notices what is missed
- :mod:`~homelabmon.relay.heartbeats.telling`: what people are told of it
- :mod:`~homelabmon.relay.heartbeats.addresses`: the secret addresses at which they are pinged
- :mod:`~homelabmon.relay.heartbeats.api`: the answers to pings
- :mod:`~homelabmon.relay.heartbeats.job`, :mod:`~homelabmon.relay.heartbeats.reporting`: the other end of it
"""
