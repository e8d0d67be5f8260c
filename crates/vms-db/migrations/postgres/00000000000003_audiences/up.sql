-- Who may make machines with a profile or from an image, and whose default it is. A row of scope `everyone` says that not
-- everybody may; what has no row at all may be used by everybody.
CREATE TABLE audiences (
    kind       TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    scope      TEXT    NOT NULL,
    subject    TEXT    NOT NULL,
    may        BOOLEAN NOT NULL,
    is_default BOOLEAN NOT NULL,
    PRIMARY KEY (kind, name, scope, subject)
);
