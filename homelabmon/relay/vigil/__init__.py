"""The vigil: whether we see at all, whether the cluster still speaks, and who notices when we do not.

- :mod:`~homelabmon.relay.vigil.contract`: what the other parts ask of it
- :mod:`~homelabmon.relay.vigil.reports`: what the cluster's relay says of itself
- :mod:`~homelabmon.relay.vigil.texts`: small notes on the disk
"""
