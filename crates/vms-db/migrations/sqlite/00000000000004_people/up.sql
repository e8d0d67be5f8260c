-- Whether the directory had the person when it was asked last. It did at their last login.
ALTER TABLE users ADD COLUMN in_directory INTEGER NOT NULL DEFAULT 1;
ALTER TABLE users ADD COLUMN directory_checked_at TEXT NOT NULL DEFAULT '';
UPDATE users SET directory_checked_at = last_login_at;
CREATE INDEX users_directory_checked ON users (directory_checked_at);

-- The groups of `users.groups_json` once more, to find who is in one of them.
CREATE TABLE user_groups (
    username TEXT NOT NULL,
    name     TEXT NOT NULL,
    PRIMARY KEY (username, name)
) STRICT;
CREATE INDEX user_groups_name ON user_groups (name);
INSERT INTO user_groups (username, name)
    SELECT DISTINCT users.username, json_each.value FROM users, json_each(users.groups_json);
