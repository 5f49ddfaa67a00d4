"""The relay under load, beside other bridges, on one fake Discord with Discord's limits: ``make bench-relay``."""
