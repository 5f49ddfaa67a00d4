"""The public status page: what the outpost knows, as far as it is meant for everybody.

=================  =====================================================================================
``setup``          what of the configuration is public, and what it is called
``model``          the page as data: groups, components, days, incidents, maintenance, freshness
``incidents``      incidents on the disk, and what is done to them from the command line
``automatic``      incidents that outages open, and that end with them
``gather``         from the disk to the model
``words``          how states, times and shares are said
``bars``           ninety days as one small drawing
``index``, ``history``, ``layout``, ``style``, ``feeds``, ``summary``, ``badges``, ``text``: the outputs, pure
``site``           all outputs, by path
``export``         writes them into a folder
``serving``        answers requests
``part``           keeps it current: the part of the service
=================  =====================================================================================

Private by default: nothing gets into the model that is not named in a listed group or said in an incident.
"""
