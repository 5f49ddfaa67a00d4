"""promtool tests of the rule packs."""
