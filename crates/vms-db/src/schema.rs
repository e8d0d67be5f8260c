//! The tables as diesel knows them: one description for both backends (`migrations/` holds the SQL of each).

diesel::table! {
    users (username) {
        username -> Text,
        display_name -> Text,
        email -> Nullable<Text>,
        groups_json -> Text,
        directory_role -> Text,
        role_override -> Nullable<Text>,
        disabled -> Bool,
        quota_machines -> Nullable<BigInt>,
        quota_running -> Nullable<BigInt>,
        quota_memory_bytes -> Nullable<BigInt>,
        quota_cpus -> Nullable<BigInt>,
        quota_disk_bytes -> Nullable<BigInt>,
        quota_snapshots -> Nullable<BigInt>,
        created_at -> Timestamp,
        last_login_at -> Timestamp,
        in_directory -> Bool,
        directory_checked_at -> Timestamp,
    }
}

diesel::table! {
    user_groups (username, name) {
        username -> Text,
        name -> Text,
    }
}

diesel::table! {
    quotas (scope, subject) {
        scope -> Text,
        subject -> Text,
        machines -> Nullable<BigInt>,
        running -> Nullable<BigInt>,
        memory_bytes -> Nullable<BigInt>,
        cpus -> Nullable<BigInt>,
        disk_bytes -> Nullable<BigInt>,
        snapshots -> Nullable<BigInt>,
    }
}

diesel::table! {
    audiences (kind, name, scope, subject) {
        kind -> Text,
        name -> Text,
        scope -> Text,
        subject -> Text,
        may -> Bool,
        is_default -> Bool,
    }
}

diesel::table! {
    machines (id) {
        id -> Text,
        owner -> Text,
        name -> Text,
        instance -> Text,
        server -> Text,
        image_alias -> Text,
        profile -> Text,
        description -> Text,
        created_at -> Timestamp,
        memory_bytes -> Nullable<BigInt>,
        cpus -> Nullable<BigInt>,
        disk_bytes -> Nullable<BigInt>,
    }
}

diesel::table! {
    operations (id) {
        id -> Text,
        kind -> Text,
        status -> Text,
        progress -> Nullable<SmallInt>,
        message -> Text,
        machine_id -> Nullable<Text>,
        machine_name -> Text,
        instance -> Text,
        owner -> Text,
        requested_by -> Text,
        server -> Text,
        lxd_operation -> Nullable<Text>,
        params -> Text,
        created_at -> Timestamp,
        updated_at -> Timestamp,
        finished_at -> Nullable<Timestamp>,
        error_code -> Nullable<Text>,
        error_message -> Nullable<Text>,
    }
}

diesel::table! {
    idempotency_keys (username, key) {
        username -> Text,
        key -> Text,
        fingerprint -> Text,
        operation_id -> Text,
        created_at -> Timestamp,
    }
}

diesel::table! {
    sessions (family) {
        family -> Text,
        username -> Text,
        created_at -> Timestamp,
        expires_at -> Timestamp,
        revoked_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    refresh_tokens (hash) {
        hash -> Text,
        family -> Text,
        created_at -> Timestamp,
        expires_at -> Timestamp,
        used_at -> Nullable<Timestamp>,
        user_agent -> Text,
        address -> Text,
    }
}

diesel::table! {
    personal_tokens (id) {
        id -> Text,
        username -> Text,
        name -> Text,
        hash -> Text,
        scope -> Text,
        created_at -> Timestamp,
        expires_at -> Timestamp,
        last_used_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    audit (id) {
        id -> Text,
        at -> Timestamp,
        actor -> Text,
        action -> Text,
        target -> Text,
        outcome -> Integer,
        code -> Nullable<Text>,
        address -> Text,
        request_id -> Text,
        detail -> Nullable<Text>,
    }
}

diesel::allow_tables_to_appear_in_same_query!(sessions, refresh_tokens);
diesel::allow_tables_to_appear_in_same_query!(users, user_groups, machines, operations);
