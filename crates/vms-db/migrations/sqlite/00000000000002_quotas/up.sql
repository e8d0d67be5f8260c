-- What an administrator allows a person, a role or a group; NULL leaves it to the next level.
ALTER TABLE users ADD COLUMN quota_running INTEGER;
ALTER TABLE users ADD COLUMN quota_memory_bytes INTEGER;
ALTER TABLE users ADD COLUMN quota_cpus INTEGER;
ALTER TABLE users ADD COLUMN quota_disk_bytes INTEGER;
ALTER TABLE users ADD COLUMN quota_snapshots INTEGER;

CREATE TABLE quotas (
    scope        TEXT NOT NULL,
    subject      TEXT NOT NULL,
    machines     INTEGER,
    running      INTEGER,
    memory_bytes INTEGER,
    cpus         INTEGER,
    disk_bytes   INTEGER,
    snapshots    INTEGER,
    PRIMARY KEY (scope, subject)
) STRICT;

-- What a machine will hold, as long as no server shows it; NULL where nothing limits it.
ALTER TABLE machines ADD COLUMN memory_bytes INTEGER;
ALTER TABLE machines ADD COLUMN cpus INTEGER;
ALTER TABLE machines ADD COLUMN disk_bytes INTEGER;
