"""When an alert travels: Prometheus' rules and a cluster of Alertmanagers as a simulation in virtual time.

Asked by ``simulate`` and ``test``. Pure: no clock, no chance, no I/O. All times are seconds since the epoch, all
durations seconds.

- :mod:`~homelabmon.routing.timing.evaluation`: from a condition to an alert that fires, on the rule's grid
- :mod:`~homelabmon.routing.timing.cluster`: one or more Alertmanagers: alerts go in, notifications come out
- :mod:`~homelabmon.routing.timing.notification`: what a receiver is told

Behind them: :mod:`~homelabmon.routing.timing.replica` (groups and their flushes in one Alertmanager),
:mod:`~homelabmon.routing.timing.muting` (inhibition and time intervals as they change),
:mod:`~homelabmon.routing.timing.log` (who has been told what), :mod:`~homelabmon.routing.timing.alerts`,
:mod:`~homelabmon.routing.timing.agenda`.

Not simulated, as they are accidents and not rules: lost or slow requests, restarts, partitions, and Prometheus'
repetition of resolved alerts (it changes nothing since Alertmanager 0.32).
"""
