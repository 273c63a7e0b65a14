-- Triage in groups: what a queue is grouped by, decisions on many that can be taken back, notes and watching, saved
-- views, suppressions.

-- What the collector found stands apart from what is listed, so that rows stay short.
CREATE TABLE alert_bodies (
    id   TEXT PRIMARY KEY REFERENCES alerts (id),
    body TEXT NOT NULL
);
INSERT INTO alert_bodies (id, body) SELECT id, body FROM alerts;
ALTER TABLE alerts DROP COLUMN body;

-- The order in which alerts came in, from 1: what somebody has seen is everything up to a number.
ALTER TABLE alerts ADD COLUMN number BIGINT NOT NULL DEFAULT 0;
UPDATE alerts SET number = rowid;
CREATE UNIQUE INDEX alerts_by_number ON alerts (number);

-- The host an alert is about: the private one of two addresses, the source where both are, else the destination.
ALTER TABLE alerts ADD COLUMN host TEXT;
UPDATE alerts SET host = CASE
    WHEN SUBSTR(source_ip, 1, 3) = '10.' OR SUBSTR(source_ip, 1, 8) = '192.168.'
        OR SUBSTR(source_ip, 1, 7) IN ('172.16.', '172.17.', '172.18.', '172.19.', '172.20.', '172.21.', '172.22.',
            '172.23.', '172.24.', '172.25.', '172.26.', '172.27.', '172.28.', '172.29.', '172.30.', '172.31.')
        OR SUBSTR(source_ip, 1, 2) IN ('fc', 'fd') THEN source_ip
    ELSE COALESCE(destination_ip, source_ip) END;

-- 1 when no earlier alert of this rule named this destination.
ALTER TABLE alerts ADD COLUMN new_destination INTEGER NOT NULL DEFAULT 0;
CREATE INDEX alerts_by_destination ON alerts (rule_id, destination_ip, number);
UPDATE alerts SET new_destination = 1 WHERE destination_ip IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM alerts b WHERE b.rule_id = alerts.rule_id AND b.destination_ip = alerts.destination_ip
        AND b.number < alerts.number);

-- Everything that puts groups of open alerts in order, once for each grouping: the table itself is not read for it.
CREATE INDEX alerts_open_by_host ON alerts (status, rule_id, host, time_us, severity, number, agency_id, source_ip,
    destination_ip, new_destination, id) WHERE status = 'open';
CREATE INDEX alerts_open_by_source ON alerts (status, source_ip, time_us, severity, number, rule_id, agency_id,
    destination_ip, new_destination, id) WHERE status = 'open';
CREATE INDEX alerts_open_by_agency ON alerts (status, agency_id, time_us, severity, number, rule_id, source_ip,
    destination_ip, new_destination, id) WHERE status = 'open';
-- What a suppression would have hidden.
CREATE INDEX alerts_by_rule_time ON alerts (rule_id, time_us, source_ip, destination_ip, agency_id, agency_name, status,
    verdict, case_id);
CREATE INDEX alerts_by_verdict ON alerts (rule_id, decided_us, verdict, id) WHERE verdict IS NOT NULL;
CREATE INDEX alerts_by_verdict_host ON alerts (rule_id, host, decided_us) WHERE verdict IS NOT NULL;

-- One decision on one or many alerts, and how each stood before: enough to take it back.
CREATE TABLE acts (
    id           TEXT PRIMARY KEY,
    at_us        BIGINT NOT NULL,
    by_id        TEXT REFERENCES users (id),
    action       TEXT NOT NULL,
    opened_case  TEXT REFERENCES cases (id),
    case_version BIGINT,
    undone_us    BIGINT,
    undone_by    TEXT REFERENCES users (id)
);
CREATE TABLE act_members (
    act_id         TEXT NOT NULL REFERENCES acts (id),
    alert_id       TEXT NOT NULL REFERENCES alerts (id),
    after_version  BIGINT NOT NULL,
    status         TEXT NOT NULL,
    verdict        TEXT,
    reason         TEXT,
    decided_by     TEXT,
    decided_us     BIGINT,
    assignee_id    TEXT,
    case_id        TEXT,
    suppression_id TEXT,
    PRIMARY KEY (act_id, alert_id)
);
CREATE INDEX act_members_by_alert ON act_members (alert_id, after_version);

CREATE TABLE watches (
    alert_id TEXT NOT NULL REFERENCES alerts (id),
    user_id  TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    at_us    BIGINT NOT NULL,
    PRIMARY KEY (user_id, alert_id)
);
CREATE INDEX watches_by_alert ON watches (alert_id);

-- What a queue is narrowed and grouped by, under a name: the page's own question text.
CREATE TABLE views (
    id         TEXT PRIMARY KEY,
    owner_id   TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name       TEXT NOT NULL,
    query      TEXT NOT NULL,
    shared     INTEGER NOT NULL,
    created_us BIGINT NOT NULL,
    UNIQUE (owner_id, name)
);

-- What is hidden from the queue for a while, by whom and why. Hidden alerts are kept and counted.
CREATE TABLE suppressions (
    id             TEXT PRIMARY KEY,
    rule_id        TEXT NOT NULL,
    rule_name      TEXT NOT NULL,
    rule_name_vi   TEXT,
    source_ip      TEXT,
    destination_ip TEXT,
    agency_id      TEXT,
    agency_name    TEXT,
    reason         TEXT NOT NULL,
    owner_id       TEXT NOT NULL REFERENCES users (id),
    created_by     TEXT REFERENCES users (id),
    created_us     BIGINT NOT NULL,
    expires_us     BIGINT NOT NULL,
    ended_us       BIGINT,
    ended_by       TEXT REFERENCES users (id),
    end_reason     TEXT,
    hidden         BIGINT NOT NULL DEFAULT 0,
    last_hidden_us BIGINT
);
CREATE INDEX suppressions_by_rule ON suppressions (rule_id, expires_us);
ALTER TABLE alerts ADD COLUMN suppression_id TEXT REFERENCES suppressions (id);
CREATE INDEX alerts_by_suppression ON alerts (suppression_id) WHERE suppression_id IS NOT NULL;
