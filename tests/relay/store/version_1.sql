PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE accounts (
        channel TEXT NOT NULL,
        account TEXT NOT NULL,
        total INTEGER NOT NULL,
        PRIMARY KEY (channel, account)
    ) STRICT, WITHOUT ROWID;
INSERT INTO "accounts" VALUES('ops','posted',3);
INSERT INTO "accounts" VALUES('ops','received',5);
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
INSERT INTO "dead_letters" VALUES(4,'ops',1795379476.5,'malformed','Invalid Form Body','[1,2]',7,'{"content":"x"}',NULL,NULL);
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
INSERT INTO "episodes" VALUES(1,'media','ops','alertmanager','0123456789abcdef','{"alertname":"NodeDown","odd":"a\"☃\n\u0000"}','{"summary":"it is down"}','warning','http://prometheus.invalid','{"alertname":"NodeDown"}','{alertname}',1,0,60.0,1.79537937637654399867e+09,1795379386.5,1795379436.5,'told',1795379475.5,'expired',1795379476.5,2,2,3,1795378476.5,1,1,1795379476.5);
INSERT INTO "episodes" VALUES(7,'media','ops','alertmanager','0123456789abcdef','{"alertname":"NodeDown","odd":"a\"☃\n\u0000"}','{"summary":"it is down"}','warning','http://prometheus.invalid','{"alertname":"NodeDown"}','{alertname}',1,0,60.0,1.79537937637654399867e+09,1795379386.5,1795379436.5,'told',1795379475.5,'expired',1795379476.5,NULL,0,3,1795378476.5,1,1,1795379476.5);
CREATE TABLE inbox (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        received_at REAL NOT NULL,
        source TEXT NOT NULL,
        packed INTEGER NOT NULL,
        body BLOB NOT NULL
    ) STRICT;
INSERT INTO "inbox" VALUES(1,1795379476.5,'falco',0,X'612072657175657374');
INSERT INTO "inbox" VALUES(2,1795379476.5,'falco',1,X'78016360646266616563E7E0E4E2E6E1E5E3171014121611151397909492969195935750545256515553D7D0D4D2D6D1D5D33730343236313533B7B0B4B2B6B1B5B37770747276717573F7F0F4F2F6F1F5F30F080C0A0E090D0B8F888C8A8E898D8B4F484C4A4E494D4BCFC8CCCACEC9CDCB2F282C2A2E292D2BAFA8ACAAAEA9ADAB6F686C6A6E696D6BEFE8ECEAEEE9EDEB9F3071D2E42953A74D9F3173D6EC3973E7CD5FB070D1E2254B972D5FB172D5EA356BD7ADDFB071D3E62D5BB76DDFB173D7EE3D7BF7ED3F70F0D0E123478F1D3F71F2D4E93367CF9DBF70F1D2E52B57AF5DBF71F3D6ED3B77EFDD7FF0F0D1E3274F9F3D7FF1F2D5EB376FDFBDFFF0F1D3E72F5FBF7DFFF1F3D7EF3F7FFFFD6718F5FF68FC8FA6FFD1FC3F5AFE8D96FFA3F5DF68FD3FDAFE196DFF8DB67F47DBFFA3FD9FD1FEDF68FF77B4FF3F3AFE313AFE333AFE353AFE373AFE393AFE3B3AFE3D3AFE3F3AFF313AFF333AFF353AFF373AFF393AFF3B3AFF3D3AFF3FBAFE6174FDC7E8FA97D1F53FA3EB9F46D77F8DAE7F1B5DFF37BAFE7174FDE7E8FAD7D1F5BFA3EB9F47D77F8FAE7F1F5DFF3FBAFF6174FFC7E8FE97D1FD3FA3FB9F46F77F8DEE7F1BDDFF37BAFF7174FFE7E8FED7D1FDBFA3FB9F47F77F0F82FDEF00586AE1D2');
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
INSERT INTO "incidents" VALUES(2,'ops','media','falco',1,'{"rule":"shell"}',NULL,0,1795379426.5,1795379436.5,1795379476.5,2,5,4,'critical','["critical","warning"]',3,1795379476.5,NULL);
CREATE TABLE meta (
        key TEXT PRIMARY KEY,
        value REAL NOT NULL
    ) STRICT;
INSERT INTO "meta" VALUES('next_id',8.0);
INSERT INTO "meta" VALUES('beat',1795379476.5);
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
INSERT INTO "posts" VALUES(3,'ops','media','1234567890','987','[2]',1795379476.5,1795379477.5,1);
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
INSERT INTO "quarantine" VALUES(1,'flux',X'0C26ADD61199629921E19CB614A5F581','it is not JSON',1795379476.5,1795379476.5,1,1,0,X'3F');
CREATE INDEX episodes_incident ON episodes (incident);
CREATE INDEX episodes_queued ON episodes (channel, queued) WHERE queued > 0;
CREATE INDEX incidents_closed ON incidents (closed_at);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('inbox',2);
INSERT INTO "sqlite_sequence" VALUES('quarantine',1);
COMMIT;
