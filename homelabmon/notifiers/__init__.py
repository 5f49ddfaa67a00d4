"""Places where people read. One file a kind; none of them does I/O.

- :mod:`~homelabmon.notifiers.message`: what a message shows
- :mod:`~homelabmon.notifiers.contract`: what a notifier is
"""
