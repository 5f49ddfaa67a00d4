"""The tables, version by version. ``user_version`` of a database is how many of these steps it has taken.

A step is never changed once it has been released: the next version is a step more. May import: the standard library.
"""

from __future__ import annotations

from typing import Final

MIGRATIONS: Final[tuple[str, ...]] = (
    # 1: what came in, what of it could not be read, and what the book remembers.
    """
    CREATE TABLE meta (
        key TEXT PRIMARY KEY,
        value REAL NOT NULL
    ) STRICT;

    CREATE TABLE inbox (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        received_at REAL NOT NULL,
        source TEXT NOT NULL,
        packed INTEGER NOT NULL,
        body BLOB NOT NULL
    ) STRICT;

    CREATE TABLE quarantine (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        source TEXT NOT NULL,
        digest BLOB NOT NULL,
        reason TEXT NOT NULL,
        first_at REAL NOT NULL,
        last_at REAL NOT NULL,
        times INTEGER NOT NULL DEFAULT 1,
        size INTEGER NOT NULL,
        packed INTEGER NOT NULL,
        body BLOB,
        UNIQUE (source, digest)
    ) STRICT;

    CREATE TABLE episodes (
        id INTEGER PRIMARY KEY,
        route TEXT NOT NULL,
        channel TEXT NOT NULL,
        source TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        labels TEXT NOT NULL,
        annotations TEXT NOT NULL,
        severity TEXT NOT NULL,
        generator_url TEXT NOT NULL,
        "group" TEXT NOT NULL,
        title TEXT,
        group_by_all INTEGER NOT NULL,
        event INTEGER NOT NULL,
        hold REAL NOT NULL,
        starts_at REAL NOT NULL,
        received_at REAL NOT NULL,
        due REAL NOT NULL,
        phase TEXT NOT NULL,
        ends_at REAL,
        ending TEXT,
        ended_seen_at REAL,
        incident INTEGER,
        queued INTEGER NOT NULL,
        times INTEGER NOT NULL,
        first_at REAL NOT NULL,
        silenced INTEGER NOT NULL,
        absent INTEGER NOT NULL,
        doubted_at REAL
    ) STRICT;
    CREATE INDEX episodes_incident ON episodes (incident);
    CREATE INDEX episodes_queued ON episodes (channel, queued) WHERE queued > 0;

    CREATE TABLE incidents (
        id INTEGER PRIMARY KEY,
        channel TEXT NOT NULL,
        route TEXT NOT NULL,
        source TEXT NOT NULL,
        event INTEGER NOT NULL,
        "group" TEXT NOT NULL,
        title TEXT,
        group_by_all INTEGER NOT NULL,
        opened_at REAL NOT NULL,
        told_since REAL NOT NULL,
        ended_at REAL,
        returns INTEGER NOT NULL,
        revision INTEGER NOT NULL,
        told_revision INTEGER NOT NULL,
        worst TEXT NOT NULL,
        pinged TEXT NOT NULL,
        post INTEGER,
        changed_at REAL NOT NULL,
        closed_at REAL
    ) STRICT;
    CREATE INDEX incidents_closed ON incidents (closed_at);

    CREATE TABLE posts (
        id INTEGER PRIMARY KEY,
        channel TEXT NOT NULL,
        via TEXT NOT NULL,
        remote_id TEXT NOT NULL,
        thread_id TEXT,
        incidents TEXT NOT NULL,
        posted_at REAL NOT NULL,
        edited_at REAL NOT NULL,
        plain INTEGER NOT NULL
    ) STRICT;

    CREATE TABLE dead_letters (
        id INTEGER PRIMARY KEY,
        channel TEXT NOT NULL,
        at REAL NOT NULL,
        reason TEXT NOT NULL,
        detail TEXT NOT NULL,
        incidents TEXT NOT NULL,
        notices INTEGER NOT NULL,
        payload TEXT NOT NULL,
        replayed_at REAL,
        wanted_at REAL
    ) STRICT;

    CREATE TABLE accounts (
        channel TEXT NOT NULL,
        account TEXT NOT NULL,
        total INTEGER NOT NULL,
        PRIMARY KEY (channel, account)
    ) STRICT, WITHOUT ROWID;
    """,  # 2: heartbeats, and what was heard of them.
    """
    CREATE TABLE heartbeats (
        name TEXT PRIMARY KEY,
        status TEXT NOT NULL,
        since REAL NOT NULL,
        created REAL NOT NULL,
        last_ping REAL,
        last_success REAL,
        last_start REAL,
        start_rid TEXT,
        duration REAL,
        exit_code INTEGER,
        reason TEXT,
        wait REAL,
        deadline REAL,
        said TEXT NOT NULL,
        made INTEGER NOT NULL,
        rules TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX heartbeats_deadline ON heartbeats (deadline) WHERE deadline IS NOT NULL;

    CREATE TABLE heartbeat_pings (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        heartbeat TEXT NOT NULL,
        at REAL NOT NULL,
        received_at REAL NOT NULL,
        kind TEXT NOT NULL,
        rid TEXT,
        exit_code INTEGER,
        method TEXT NOT NULL,
        client TEXT NOT NULL,
        address TEXT NOT NULL,
        body BLOB NOT NULL
    ) STRICT;
    CREATE INDEX heartbeat_pings_heartbeat ON heartbeat_pings (heartbeat, id);
    """,  # 3: probes, what the public is shown, what the cluster's relay keeps for the outpost, webhooks that refuse.
    """
    UPDATE inbox SET source = 'own' WHERE source = 'heartbeat';

    CREATE TABLE texts (
        key TEXT PRIMARY KEY,
        at REAL NOT NULL,
        value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE probes (
        name TEXT PRIMARY KEY,
        status TEXT NOT NULL,
        since REAL NOT NULL,
        checked_at REAL,
        failures INTEGER NOT NULL,
        failing_since REAL,
        confirmed_at REAL,
        slows INTEGER NOT NULL,
        slow_since REAL,
        well_since REAL,
        reason TEXT NOT NULL,
        latency REAL,
        certificate_until REAL,
        told_down REAL,
        told_slow REAL,
        told_expires REAL,
        told_last_days REAL,
        theirs TEXT NOT NULL,
        timing TEXT NOT NULL,
        rules TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE probe_results (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        probe TEXT NOT NULL,
        at REAL NOT NULL,
        outcome TEXT NOT NULL,
        latency REAL,
        detail TEXT NOT NULL
    ) STRICT;
    CREATE INDEX probe_results_probe ON probe_results (probe, id);

    CREATE TABLE spans (
        component TEXT NOT NULL,
        began REAL NOT NULL,
        ended REAL,
        state TEXT NOT NULL,
        PRIMARY KEY (component, began)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE gaps (
        began REAL PRIMARY KEY,
        ended REAL,
        kind TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE daily (
        component TEXT NOT NULL,
        day TEXT NOT NULL,
        operational REAL NOT NULL,
        degraded REAL NOT NULL,
        outage REAL NOT NULL,
        maintenance REAL NOT NULL,
        PRIMARY KEY (component, day)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE status_incidents (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        title TEXT NOT NULL,
        impact TEXT NOT NULL,
        status TEXT NOT NULL,
        components TEXT NOT NULL,
        origin TEXT NOT NULL,
        started_at REAL NOT NULL,
        resolved_at REAL
    ) STRICT;

    CREATE TABLE status_updates (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        incident INTEGER NOT NULL,
        at REAL NOT NULL,
        status TEXT NOT NULL,
        body TEXT NOT NULL
    ) STRICT;
    CREATE INDEX status_updates_incident ON status_updates (incident, id);

    CREATE TABLE dead_webhooks (
        webhook TEXT PRIMARY KEY,
        died_at REAL NOT NULL,
        reason TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE invalid_requests (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        webhook TEXT NOT NULL,
        at REAL NOT NULL
    ) STRICT;

    CREATE TABLE spool (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        received_at REAL NOT NULL,
        at REAL NOT NULL,
        address TEXT NOT NULL,
        what TEXT NOT NULL,
        rid TEXT,
        "create" INTEGER NOT NULL,
        client TEXT NOT NULL,
        size INTEGER NOT NULL,
        body BLOB NOT NULL
    ) STRICT;
    CREATE INDEX spool_address ON spool (address, id);
    CREATE INDEX spool_received ON spool (received_at, size);
    """,  # 4: when a heartbeat is expected, so that nobody has to work it out for each look.
    """
    ALTER TABLE heartbeats ADD COLUMN expected REAL;
    """,  # 5: how often it has failed in a row.
    """
    ALTER TABLE heartbeats ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;
    """,
)
