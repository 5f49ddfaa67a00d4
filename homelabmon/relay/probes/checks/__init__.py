"""One question over the network, and what came of it. One file for each kind; every kind meets one contract.

``async def check(probe, line, timing) -> Outcome``: asks once, and has all the time it wants (whoever calls bounds it);
raises FailedError when the endpoint is not as it should be, UnknownError when it cannot be asked from here, and OSError
or whatever the network raises, which is put into words here. Used by the rounds, and by `homelabmon probe`.
"""
