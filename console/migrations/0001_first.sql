-- Times are microseconds since 1970-01-01 UTC; ids are text; severities are 0 (info) to 4 (critical).
CREATE TABLE users (
    id            TEXT PRIMARY KEY,
    name          TEXT NOT NULL UNIQUE,
    display_name  TEXT NOT NULL,
    role          TEXT NOT NULL,
    locale        TEXT NOT NULL,
    theme         TEXT NOT NULL,
    password_hash TEXT,
    disabled      INTEGER NOT NULL DEFAULT 0,
    created_us    BIGINT NOT NULL,
    last_login_us BIGINT
);

CREATE TABLE sessions (
    digest      TEXT PRIMARY KEY,
    user_id     TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    csrf_token  TEXT NOT NULL,
    created_us  BIGINT NOT NULL,
    seen_us     BIGINT NOT NULL,
    expires_us  BIGINT NOT NULL
);
CREATE INDEX sessions_by_user ON sessions (user_id);

-- One-time links: without a user the link makes the first administrator.
CREATE TABLE links (
    digest      TEXT PRIMARY KEY,
    user_id     TEXT REFERENCES users (id) ON DELETE CASCADE,
    expires_us  BIGINT NOT NULL
);

CREATE TABLE alerts (
    id               TEXT PRIMARY KEY,
    sequence         BIGINT NOT NULL,
    time_us          BIGINT NOT NULL,
    received_us      BIGINT NOT NULL,
    severity         INTEGER NOT NULL,
    rule_id          TEXT NOT NULL,
    rule_name        TEXT NOT NULL,
    rule_name_vi     TEXT,
    rule_kind        TEXT NOT NULL,
    source_ip        TEXT,
    source_port      INTEGER,
    destination_ip   TEXT,
    destination_port INTEGER,
    agency_id        TEXT,
    agency_name      TEXT,
    sensor           TEXT NOT NULL,
    event_count      BIGINT NOT NULL,
    status           TEXT NOT NULL,
    verdict          TEXT,
    reason           TEXT,
    decided_by       TEXT REFERENCES users (id),
    decided_us       BIGINT,
    assignee_id      TEXT REFERENCES users (id),
    case_id          TEXT REFERENCES cases (id),
    version          BIGINT NOT NULL,
    words            TEXT NOT NULL,
    body             TEXT NOT NULL
);
CREATE INDEX alerts_by_time ON alerts (status, time_us, id);
CREATE INDEX alerts_by_severity ON alerts (status, severity, time_us, id);
CREATE INDEX alerts_by_moment ON alerts (time_us);
CREATE INDEX alerts_by_rule ON alerts (rule_id, status, time_us);
CREATE INDEX alerts_by_case ON alerts (case_id);
CREATE INDEX alerts_by_decision ON alerts (decided_us);

CREATE TABLE cases (
    id          TEXT PRIMARY KEY,
    number      BIGINT NOT NULL UNIQUE,
    title       TEXT NOT NULL,
    severity    INTEGER NOT NULL,
    status      TEXT NOT NULL,
    agency_id   TEXT,
    agency_name TEXT,
    summary     TEXT NOT NULL,
    opened_by   TEXT REFERENCES users (id),
    opened_us   BIGINT NOT NULL,
    updated_us  BIGINT NOT NULL,
    closed_us   BIGINT,
    version     BIGINT NOT NULL,
    words       TEXT NOT NULL
);
CREATE INDEX cases_by_time ON cases (opened_us, id);

CREATE TABLE case_notes (
    id      TEXT PRIMARY KEY,
    case_id TEXT NOT NULL REFERENCES cases (id),
    at_us   BIGINT NOT NULL,
    by_id   TEXT REFERENCES users (id),
    text    TEXT NOT NULL
);
CREATE INDEX case_notes_by_case ON case_notes (case_id, at_us);

-- Who did what to an alert or a case, when and why. Lines are only ever added.
CREATE TABLE history (
    id      TEXT PRIMARY KEY,
    kind    TEXT NOT NULL,
    subject TEXT NOT NULL,
    at_us   BIGINT NOT NULL,
    by_id   TEXT REFERENCES users (id),
    action  TEXT NOT NULL,
    detail  TEXT NOT NULL
);
CREATE INDEX history_by_subject ON history (kind, subject, id);

-- Every change and every log-in. Lines are only ever added.
CREATE TABLE audit (
    number  BIGINT PRIMARY KEY,
    at_us   BIGINT NOT NULL,
    by_id   TEXT REFERENCES users (id),
    action  TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail  TEXT NOT NULL,
    address TEXT
);

-- One e-mail per alert and recipient, queued in the transaction that stores the alert.
CREATE TABLE notices (
    id         TEXT PRIMARY KEY,
    alert_id   TEXT NOT NULL REFERENCES alerts (id),
    recipient  TEXT NOT NULL,
    subject    TEXT NOT NULL,
    body       TEXT NOT NULL,
    state      TEXT NOT NULL,
    attempts   INTEGER NOT NULL,
    next_us    BIGINT NOT NULL,
    created_us BIGINT NOT NULL,
    sent_us    BIGINT,
    receipt    TEXT,
    last_error TEXT,
    UNIQUE (alert_id, recipient)
);
CREATE INDEX notices_by_turn ON notices (state, next_us);

CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
