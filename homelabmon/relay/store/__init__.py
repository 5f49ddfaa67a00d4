"""What the relay keeps on disk, in one SQLite database: what came in, what is remembered, what could not be read.

- :mod:`~homelabmon.relay.store.store`: everything one can ask of it
- :mod:`~homelabmon.relay.store.queries`: the statements
- :mod:`~homelabmon.relay.store.writer`: the one thread that writes, and the group commit
- :mod:`~homelabmon.relay.store.opening`: checks, migrations, and what happens to a damaged file
- :mod:`~homelabmon.relay.store.schema`, :mod:`~homelabmon.relay.store.mapping`: tables, and rows as typed objects
- :mod:`~homelabmon.relay.store.trouble`, :mod:`~homelabmon.relay.store.outage`: what can be wrong with a disk, and
  what the log says of it

May import: errors, the incidents' model, spec, the standard library. It knows nothing of senders and channels.
"""
