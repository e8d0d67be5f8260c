-- What an administrator allows a person, a role or a group; NULL leaves it to the next level.
ALTER TABLE users ADD COLUMN quota_running BIGINT;
ALTER TABLE users ADD COLUMN quota_memory_bytes BIGINT;
ALTER TABLE users ADD COLUMN quota_cpus BIGINT;
ALTER TABLE users ADD COLUMN quota_disk_bytes BIGINT;
ALTER TABLE users ADD COLUMN quota_snapshots BIGINT;

CREATE TABLE quotas (
    scope        TEXT NOT NULL,
    subject      TEXT NOT NULL,
    machines     BIGINT,
    running      BIGINT,
    memory_bytes BIGINT,
    cpus         BIGINT,
    disk_bytes   BIGINT,
    snapshots    BIGINT,
    PRIMARY KEY (scope, subject)
);

-- What a machine will hold, as long as no server shows it; NULL where nothing limits it.
ALTER TABLE machines ADD COLUMN memory_bytes BIGINT;
ALTER TABLE machines ADD COLUMN cpus BIGINT;
ALTER TABLE machines ADD COLUMN disk_bytes BIGINT;
