-- Notices by rules that people edit, webhooks, rosters, escalation ladders; alerts by hours and days for the overview.

-- A notice speaks of an alert, of many (a digest), of a test or of a channel, and goes by mail or by a webhook. The table
-- is written anew because its old form demanded one alert and one mail address.
CREATE TABLE notices_by_rule (
    id            TEXT PRIMARY KEY,
    kind          TEXT NOT NULL,
    alert_id      TEXT REFERENCES alerts (id),
    rule_id       TEXT,
    escalation_id TEXT,
    channel       TEXT NOT NULL,
    recipient     TEXT NOT NULL,
    subject       TEXT NOT NULL,
    body          TEXT NOT NULL,
    html          TEXT,
    -- The token of a link that acknowledges; taken away once the notice is handed over or given up.
    link_token    TEXT,
    state         TEXT NOT NULL,
    attempts      INTEGER NOT NULL,
    next_us       BIGINT NOT NULL,
    created_us    BIGINT NOT NULL,
    sent_us       BIGINT,
    receipt       TEXT,
    last_error    TEXT
);
INSERT INTO notices_by_rule (id, kind, alert_id, channel, recipient, subject, body, state, attempts, next_us, created_us,
    sent_us, receipt, last_error)
SELECT id, 'alert', alert_id, 'mail', recipient, subject, body, state, attempts, next_us, created_us, sent_us, receipt,
    last_error FROM notices;
DROP TABLE notices;
ALTER TABLE notices_by_rule RENAME TO notices;
CREATE INDEX notices_by_turn ON notices (state, next_us);
CREATE UNIQUE INDEX notices_once ON notices (alert_id, channel, recipient) WHERE kind = 'alert';
CREATE INDEX notices_by_recipient ON notices (channel, recipient, kind, created_us);

-- Who is told of what: conditions, recipients, rhythm and ladder, JSON.
CREATE TABLE notice_rules (
    id         TEXT PRIMARY KEY,
    body       TEXT NOT NULL,
    version    BIGINT NOT NULL,
    changed_us BIGINT NOT NULL,
    changed_by TEXT REFERENCES users (id)
);

-- Webhooks. The secret signs, or is part of the address or of a header; it is never shown again.
CREATE TABLE notice_channels (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE,
    shape      TEXT NOT NULL,
    url        TEXT NOT NULL,
    recipient  TEXT NOT NULL,
    language   TEXT NOT NULL,
    secret     TEXT NOT NULL,
    enabled    INTEGER NOT NULL,
    version    BIGINT NOT NULL,
    changed_us BIGINT NOT NULL,
    changed_by TEXT REFERENCES users (id)
);

-- How often a channel has failed in a row, `mail` among them.
CREATE TABLE channel_states (
    channel    TEXT PRIMARY KEY,
    failures   BIGINT NOT NULL,
    since_us   BIGINT,
    dead_us    BIGINT,
    last_error TEXT,
    good_us    BIGINT
);

-- Alerts that wait for a digest, and those that were in one lately: what grows is not told of again.
CREATE TABLE digest_entries (
    channel   TEXT NOT NULL,
    recipient TEXT NOT NULL,
    alert_id  TEXT NOT NULL REFERENCES alerts (id),
    language  TEXT NOT NULL,
    rule_id   TEXT,
    at_us     BIGINT NOT NULL,
    due_us    BIGINT NOT NULL,
    sent_us   BIGINT,
    PRIMARY KEY (channel, recipient, alert_id)
);
CREATE INDEX digest_entries_due ON digest_entries (due_us, channel, recipient) WHERE sent_us IS NULL;
CREATE INDEX digest_entries_sent ON digest_entries (sent_us) WHERE sent_us IS NOT NULL;

-- Where notices reach a user.
CREATE TABLE notice_addresses (
    user_id    TEXT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    mail       TEXT NOT NULL,
    changed_us BIGINT NOT NULL
);

-- Rosters: who takes over when, in a cycle of weeks that begins on a Monday; and who stands in for whom.
CREATE TABLE rosters (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE,
    weeks      BIGINT NOT NULL,
    first_day  TEXT NOT NULL,
    handovers  TEXT NOT NULL,
    version    BIGINT NOT NULL,
    changed_us BIGINT NOT NULL,
    changed_by TEXT REFERENCES users (id)
);
CREATE TABLE roster_overrides (
    id        TEXT PRIMARY KEY,
    roster_id TEXT NOT NULL REFERENCES rosters (id) ON DELETE CASCADE,
    user_id   TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    from_us   BIGINT NOT NULL,
    to_us     BIGINT NOT NULL,
    reason    TEXT NOT NULL,
    at_us     BIGINT NOT NULL,
    by_id     TEXT REFERENCES users (id)
);
CREATE INDEX roster_overrides_of ON roster_overrides (roster_id, to_us);

-- A ladder that is being climbed because of an alert, and every step of it.
CREATE TABLE escalations (
    id        TEXT PRIMARY KEY,
    rule_id   TEXT NOT NULL,
    rule_name TEXT NOT NULL,
    alert_id  TEXT NOT NULL REFERENCES alerts (id),
    alert_key TEXT NOT NULL,
    ladder    TEXT NOT NULL,
    members   BIGINT NOT NULL,
    state     TEXT NOT NULL,
    step      BIGINT NOT NULL,
    opened_us BIGINT NOT NULL,
    next_us   BIGINT NOT NULL,
    ended_us  BIGINT,
    ended_by  TEXT REFERENCES users (id),
    how       TEXT
);
CREATE INDEX escalations_due ON escalations (next_us) WHERE state = 'waiting';
CREATE INDEX escalations_by_key ON escalations (rule_id, alert_key, opened_us);
CREATE TABLE escalation_members (
    escalation_id TEXT NOT NULL REFERENCES escalations (id),
    alert_id      TEXT NOT NULL REFERENCES alerts (id),
    at_us         BIGINT NOT NULL,
    PRIMARY KEY (escalation_id, alert_id)
);
CREATE INDEX escalation_members_by_alert ON escalation_members (alert_id);
CREATE TABLE escalation_steps (
    id            TEXT PRIMARY KEY,
    escalation_id TEXT NOT NULL REFERENCES escalations (id),
    step          BIGINT NOT NULL,
    at_us         BIGINT NOT NULL,
    user_id       TEXT REFERENCES users (id),
    channel       TEXT NOT NULL,
    recipient     TEXT NOT NULL,
    notice_id     TEXT REFERENCES notices (id),
    problem       TEXT,
    link_digest   TEXT UNIQUE,
    expires_us    BIGINT NOT NULL,
    used_us       BIGINT
);
CREATE INDEX escalation_steps_of ON escalation_steps (escalation_id, step);

-- Alerts by the hour, and by the day of their rule and of their agency: the overview counts these instead of alerts. Days
-- are those of Viet Nam (UTC+7). Hidden alerts are in neither; of agencies, only what is of medium severity and above.
CREATE TABLE alert_hours (
    hour     BIGINT NOT NULL,
    severity INTEGER NOT NULL,
    alerts   BIGINT NOT NULL,
    PRIMARY KEY (hour, severity)
);
CREATE TABLE alert_days (
    kind   TEXT NOT NULL,
    day    BIGINT NOT NULL,
    key    TEXT NOT NULL,
    alerts BIGINT NOT NULL,
    PRIMARY KEY (kind, day, key)
);
INSERT INTO alert_hours (hour, severity, alerts)
SELECT time_us / 3600000000, severity, COUNT(*) FROM alerts WHERE status <> 'suppressed' GROUP BY 1, 2;
INSERT INTO alert_days (kind, day, key, alerts)
SELECT 'rule', (time_us + 25200000000) / 86400000000, rule_id, COUNT(*) FROM alerts
WHERE status <> 'suppressed' GROUP BY 2, 3;
INSERT INTO alert_days (kind, day, key, alerts)
SELECT 'agency', (time_us + 25200000000) / 86400000000, agency_id, COUNT(*) FROM alerts
WHERE status <> 'suppressed' AND severity >= 2 AND agency_id IS NOT NULL GROUP BY 2, 3;

CREATE TRIGGER alerts_counted AFTER INSERT ON alerts WHEN NEW.status <> 'suppressed'
BEGIN
    INSERT INTO alert_hours (hour, severity, alerts) VALUES (NEW.time_us / 3600000000, NEW.severity, 1)
    ON CONFLICT (hour, severity) DO UPDATE SET alerts = alerts + 1;
    INSERT INTO alert_days (kind, day, key, alerts)
    VALUES ('rule', (NEW.time_us + 25200000000) / 86400000000, NEW.rule_id, 1)
    ON CONFLICT (kind, day, key) DO UPDATE SET alerts = alerts + 1;
    INSERT INTO alert_days (kind, day, key, alerts)
    SELECT 'agency', (NEW.time_us + 25200000000) / 86400000000, NEW.agency_id, 1
    WHERE NEW.severity >= 2 AND NEW.agency_id IS NOT NULL
    ON CONFLICT (kind, day, key) DO UPDATE SET alerts = alerts + 1;
END;
CREATE TRIGGER alerts_uncounted AFTER UPDATE OF time_us, severity, agency_id, status ON alerts
WHEN OLD.status <> 'suppressed' AND (NEW.status = 'suppressed' OR OLD.time_us <> NEW.time_us OR OLD.severity <> NEW.severity
    OR COALESCE(OLD.agency_id, '') <> COALESCE(NEW.agency_id, ''))
BEGIN
    UPDATE alert_hours SET alerts = alerts - 1 WHERE hour = OLD.time_us / 3600000000 AND severity = OLD.severity;
    UPDATE alert_days SET alerts = alerts - 1 WHERE kind = 'rule' AND key = OLD.rule_id
        AND day = (OLD.time_us + 25200000000) / 86400000000;
    UPDATE alert_days SET alerts = alerts - 1 WHERE kind = 'agency' AND key = OLD.agency_id
        AND day = (OLD.time_us + 25200000000) / 86400000000 AND OLD.severity >= 2;
END;
CREATE TRIGGER alerts_recounted AFTER UPDATE OF time_us, severity, agency_id, status ON alerts
WHEN NEW.status <> 'suppressed' AND (OLD.status = 'suppressed' OR OLD.time_us <> NEW.time_us OR OLD.severity <> NEW.severity
    OR COALESCE(OLD.agency_id, '') <> COALESCE(NEW.agency_id, ''))
BEGIN
    INSERT INTO alert_hours (hour, severity, alerts) VALUES (NEW.time_us / 3600000000, NEW.severity, 1)
    ON CONFLICT (hour, severity) DO UPDATE SET alerts = alerts + 1;
    INSERT INTO alert_days (kind, day, key, alerts)
    VALUES ('rule', (NEW.time_us + 25200000000) / 86400000000, NEW.rule_id, 1)
    ON CONFLICT (kind, day, key) DO UPDATE SET alerts = alerts + 1;
    INSERT INTO alert_days (kind, day, key, alerts)
    SELECT 'agency', (NEW.time_us + 25200000000) / 86400000000, NEW.agency_id, 1
    WHERE NEW.severity >= 2 AND NEW.agency_id IS NOT NULL
    ON CONFLICT (kind, day, key) DO UPDATE SET alerts = alerts + 1;
END;

-- What is somebody's own, and what was decided when.
CREATE INDEX alerts_open_of ON alerts (assignee_id, severity, time_us) WHERE status = 'open' AND assignee_id IS NOT NULL;
CREATE INDEX alerts_decided ON alerts (decided_us, verdict, time_us, decided_by) WHERE verdict IS NOT NULL;
CREATE INDEX suppressions_by_end ON suppressions (expires_us) WHERE ended_us IS NULL;
