"""What the book wants told reaches the channels: sending, limiting, retrying. The only part that talks to Discord.

- :mod:`~homelabmon.relay.delivery.transport`: one request over HTTP, to a response or a failure
- :mod:`~homelabmon.relay.delivery.limits`: when a webhook may be called next
- :mod:`~homelabmon.relay.delivery.gate`: waits for a webhook in turn
- :mod:`~homelabmon.relay.delivery.channels`: which webhook a channel uses now, and which are dead
- :mod:`~homelabmon.relay.delivery.worker`: one task per channel: asks the book, sends, tells the book what came of it
- :mod:`~homelabmon.relay.delivery.figures`: what the metrics page shows of all that
"""
