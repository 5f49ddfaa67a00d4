"""The owner's page: what is open, what waits, what could not be delivered. Works without JavaScript.

- :mod:`~homelabmon.relay.page.html`: elements, with everything in them escaped
- :mod:`~homelabmon.relay.page.data`: what the page shows
- :mod:`~homelabmon.relay.page.overview`: the page
- :mod:`~homelabmon.relay.page.style`: its style sheet
"""
