-- Whether the directory had the person when it was asked last. It did at their last login.
ALTER TABLE users ADD COLUMN in_directory BOOLEAN NOT NULL DEFAULT TRUE;
ALTER TABLE users ADD COLUMN directory_checked_at TIMESTAMP;
UPDATE users SET directory_checked_at = last_login_at;
ALTER TABLE users ALTER COLUMN directory_checked_at SET NOT NULL;
CREATE INDEX users_directory_checked ON users (directory_checked_at);

-- The groups of `users.groups_json` once more, to find who is in one of them.
CREATE TABLE user_groups (
    username TEXT NOT NULL,
    name     TEXT NOT NULL,
    PRIMARY KEY (username, name)
);
CREATE INDEX user_groups_name ON user_groups (name);
INSERT INTO user_groups (username, name)
    SELECT DISTINCT users.username, told.name
    FROM users, json_array_elements_text(users.groups_json::json) AS told (name);
