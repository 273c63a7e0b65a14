-- A second factor (time-based codes, RFC 6238) with recovery codes, and tokens for programs.
ALTER TABLE users ADD COLUMN totp_secret TEXT;
-- Until it is confirmed by a code, a secret is only proposed.
ALTER TABLE users ADD COLUMN totp_proposed TEXT;
-- The time step of the code that was used last: no code works twice.
ALTER TABLE users ADD COLUMN totp_step BIGINT NOT NULL DEFAULT 0;

CREATE TABLE recovery_codes (
    digest  TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX recovery_codes_by_user ON recovery_codes (user_id);

CREATE TABLE api_tokens (
    id         TEXT PRIMARY KEY,
    digest     TEXT NOT NULL UNIQUE,
    user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name       TEXT NOT NULL,
    scope      TEXT NOT NULL,
    created_us BIGINT NOT NULL,
    expires_us BIGINT NOT NULL,
    used_us    BIGINT,
    revoked_us BIGINT
);
CREATE INDEX api_tokens_by_user ON api_tokens (user_id, created_us);
