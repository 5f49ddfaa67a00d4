"""The service: takes webhooks, waits out churn, keeps one honest message per incident, loses nothing.

May import: errors, spec, routing, notifiers; nothing of the rendering side.
"""
