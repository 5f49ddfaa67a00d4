"""What Alertmanager and Prometheus know, asked where senders' words are not enough. Both are optional.

- :mod:`~homelabmon.relay.reconcile.answers`: a JSON answer over HTTP, or nothing
- :mod:`~homelabmon.relay.reconcile.alertmanager`: is an alert really gone? is the Watchdog there?
- :mod:`~homelabmon.relay.reconcile.prometheus`: what fired and ended, by Prometheus' record
- :mod:`~homelabmon.relay.reconcile.backfill`: after a start, tells what of that nobody told the relay
"""
