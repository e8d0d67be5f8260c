-- Ids are UUIDs as text; times are UTC as text, to the microsecond, and sort as text.

CREATE TABLE users (
    username        TEXT    NOT NULL PRIMARY KEY,
    display_name    TEXT    NOT NULL,
    email           TEXT,
    groups_json     TEXT    NOT NULL,
    directory_role  TEXT    NOT NULL,
    role_override   TEXT,
    disabled        INTEGER NOT NULL,
    quota_machines  INTEGER,
    created_at      TEXT    NOT NULL,
    last_login_at   TEXT    NOT NULL
) STRICT;

-- No foreign key to users: a machine found on a server may belong to someone who never logged in.
CREATE TABLE machines (
    id          TEXT NOT NULL PRIMARY KEY,
    owner       TEXT NOT NULL,
    name        TEXT NOT NULL,
    instance    TEXT NOT NULL,
    server      TEXT NOT NULL,
    image_alias TEXT NOT NULL,
    profile     TEXT NOT NULL,
    description TEXT NOT NULL,
    created_at  TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX machines_owner_name ON machines (owner, name);
CREATE UNIQUE INDEX machines_instance ON machines (instance);

-- No foreign key to machines: an operation tells what became of a machine after the machine is gone.
CREATE TABLE operations (
    id            TEXT NOT NULL PRIMARY KEY,
    kind          TEXT NOT NULL,
    status        TEXT NOT NULL,
    progress      INTEGER,
    message       TEXT NOT NULL,
    machine_id    TEXT,
    machine_name  TEXT NOT NULL,
    instance      TEXT NOT NULL,
    owner         TEXT NOT NULL,
    requested_by  TEXT NOT NULL,
    server        TEXT NOT NULL,
    lxd_operation TEXT,
    params        TEXT NOT NULL,
    created_at    TEXT NOT NULL,
    updated_at    TEXT NOT NULL,
    finished_at   TEXT,
    error_code    TEXT,
    error_message TEXT
) STRICT;
-- A machine does one thing at a time.
CREATE UNIQUE INDEX operations_one_unfinished ON operations (machine_id) WHERE finished_at IS NULL;
CREATE INDEX operations_newest ON operations (created_at, id);
CREATE INDEX operations_owner ON operations (owner, created_at);
CREATE INDEX operations_requested_by ON operations (requested_by, created_at);

CREATE TABLE idempotency_keys (
    username     TEXT NOT NULL,
    key          TEXT NOT NULL,
    fingerprint  TEXT NOT NULL,
    operation_id TEXT NOT NULL REFERENCES operations (id) ON DELETE CASCADE,
    created_at   TEXT NOT NULL,
    PRIMARY KEY (username, key)
) STRICT;
CREATE INDEX idempotency_keys_operation ON idempotency_keys (operation_id);

CREATE TABLE sessions (
    family     TEXT NOT NULL PRIMARY KEY,
    username   TEXT NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    revoked_at TEXT
) STRICT;
CREATE INDEX sessions_username ON sessions (username);
CREATE INDEX sessions_expires_at ON sessions (expires_at);

CREATE TABLE refresh_tokens (
    hash       TEXT NOT NULL PRIMARY KEY,
    family     TEXT NOT NULL REFERENCES sessions (family) ON DELETE CASCADE,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    used_at    TEXT,
    user_agent TEXT NOT NULL,
    address    TEXT NOT NULL
) STRICT;
CREATE INDEX refresh_tokens_family ON refresh_tokens (family);

CREATE TABLE personal_tokens (
    id           TEXT NOT NULL PRIMARY KEY,
    username     TEXT NOT NULL REFERENCES users (username) ON DELETE CASCADE,
    name         TEXT NOT NULL,
    hash         TEXT NOT NULL,
    scope        TEXT NOT NULL,
    created_at   TEXT NOT NULL,
    expires_at   TEXT NOT NULL,
    last_used_at TEXT
) STRICT;
CREATE UNIQUE INDEX personal_tokens_hash ON personal_tokens (hash);
CREATE INDEX personal_tokens_username ON personal_tokens (username, created_at);

CREATE TABLE audit (
    id         TEXT    NOT NULL PRIMARY KEY,
    at         TEXT    NOT NULL,
    actor      TEXT    NOT NULL,
    action     TEXT    NOT NULL,
    target     TEXT    NOT NULL,
    outcome    INTEGER NOT NULL,
    code       TEXT,
    address    TEXT    NOT NULL,
    request_id TEXT    NOT NULL,
    detail     TEXT
) STRICT;
CREATE INDEX audit_newest ON audit (at, id);
