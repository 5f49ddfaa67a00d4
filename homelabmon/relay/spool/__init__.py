"""The spool: the relay in the cluster takes pings of heartbeats and sends them on to the outpost, later if need be.

Jobs in the cluster ping it as they would ping the outpost. So an internet connection of the house that is down, or an
outpost that is restarted, loses no ping: each arrives with the time at which it was meant.

- :mod:`~homelabmon.relay.spool.records`: what the disk has of pings that wait
- :mod:`~homelabmon.relay.spool.door`: the answers to jobs
- :mod:`~homelabmon.relay.spool.courier`: sends on what waits
- :mod:`~homelabmon.relay.spool.parts`: the part of the service
"""
