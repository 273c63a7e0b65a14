-- Passwords that grow old and do not come back, accounts nobody uses, and log-in with an identity provider.
ALTER TABLE users ADD COLUMN password_set_us BIGINT;
UPDATE users SET password_set_us = COALESCE(
    (SELECT MAX(a.at_us) FROM audit a WHERE a.action = 'user.password_set' AND a.subject = 'user:' || users.id), created_us)
WHERE password_hash IS NOT NULL;
-- When somebody last came in, or was let in again.
ALTER TABLE users ADD COLUMN used_us BIGINT;
UPDATE users SET used_us = COALESCE(last_login_us, created_us);
-- The mail address that a provider may vouch for; administrators set it.
ALTER TABLE users ADD COLUMN mail TEXT;
CREATE UNIQUE INDEX users_by_mail ON users (mail) WHERE mail IS NOT NULL;

-- Hashes of earlier passwords.
CREATE TABLE old_passwords (
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    hash    TEXT NOT NULL,
    set_us  BIGINT NOT NULL
);
CREATE INDEX old_passwords_by_user ON old_passwords (user_id, set_us);

-- Who a provider's account is here.
CREATE TABLE identities (
    issuer    TEXT NOT NULL,
    subject   TEXT NOT NULL,
    user_id   TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    linked_us BIGINT NOT NULL,
    PRIMARY KEY (issuer, subject)
);
CREATE UNIQUE INDEX identities_by_user ON identities (user_id, issuer);

-- Whether a provider vouched for the person, and whether it asked for a second factor.
ALTER TABLE sessions ADD COLUMN by_provider INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN strong INTEGER NOT NULL DEFAULT 0;
