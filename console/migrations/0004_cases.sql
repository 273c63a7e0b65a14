-- Cases in depth: phases, tasks, a timeline by hand, observables, systems, people, links, evidence, notices in the console.

-- The value of `version` at the last change of the case's own fields: a note in between is no conflict.
ALTER TABLE cases ADD COLUMN fields_version BIGINT NOT NULL DEFAULT 0;
ALTER TABLE cases ADD COLUMN phase TEXT;
ALTER TABLE cases ADD COLUMN phase_us BIGINT;
ALTER TABLE cases ADD COLUMN priority TEXT;
ALTER TABLE cases ADD COLUMN lead_id TEXT REFERENCES users (id);
ALTER TABLE cases ADD COLUMN tlp TEXT NOT NULL DEFAULT 'amber';
ALTER TABLE cases ADD COLUMN pap TEXT NOT NULL DEFAULT 'amber';
ALTER TABLE cases ADD COLUMN restricted INTEGER NOT NULL DEFAULT 0;
ALTER TABLE cases ADD COLUMN template TEXT;
ALTER TABLE cases ADD COLUMN national_row TEXT;
ALTER TABLE cases ADD COLUMN rsit TEXT;
ALTER TABLE cases ADD COLUMN internal_group TEXT;
ALTER TABLE cases ADD COLUMN detected_us BIGINT;
ALTER TABLE cases ADD COLUMN occurred_us BIGINT;
ALTER TABLE cases ADD COLUMN handled_by TEXT;
ALTER TABLE cases ADD COLUMN helpers TEXT NOT NULL DEFAULT '';
ALTER TABLE cases ADD COLUMN damage_vnd BIGINT;
ALTER TABLE cases ADD COLUMN damage_note TEXT NOT NULL DEFAULT '';
-- The review at the end: four texts, JSON.
ALTER TABLE cases ADD COLUMN review TEXT NOT NULL DEFAULT '{}';
ALTER TABLE cases ADD COLUMN merged_into TEXT REFERENCES cases (id);
UPDATE cases SET fields_version = version, detected_us = opened_us;
CREATE INDEX cases_by_lead ON cases (lead_id, number) WHERE lead_id IS NOT NULL;

-- Who may see a restricted case.
CREATE TABLE case_members (
    case_id TEXT NOT NULL REFERENCES cases (id),
    user_id TEXT NOT NULL REFERENCES users (id),
    at_us   BIGINT NOT NULL,
    by_id   TEXT REFERENCES users (id),
    PRIMARY KEY (case_id, user_id)
);

CREATE TABLE case_phases (
    id      TEXT PRIMARY KEY,
    case_id TEXT NOT NULL REFERENCES cases (id),
    phase   TEXT NOT NULL,
    at_us   BIGINT NOT NULL,
    by_id   TEXT REFERENCES users (id),
    note    TEXT NOT NULL
);
CREATE INDEX case_phases_by_case ON case_phases (case_id, at_us);

CREATE TABLE case_tasks (
    id          TEXT PRIMARY KEY,
    case_id     TEXT NOT NULL REFERENCES cases (id),
    place       BIGINT NOT NULL,
    is_check    INTEGER NOT NULL,
    title       TEXT NOT NULL,
    detail      TEXT NOT NULL,
    phase       TEXT,
    assignee_id TEXT REFERENCES users (id),
    due_us      BIGINT,
    state       TEXT NOT NULL,
    created_us  BIGINT NOT NULL,
    created_by  TEXT REFERENCES users (id),
    done_us     BIGINT,
    done_by     TEXT REFERENCES users (id),
    version     BIGINT NOT NULL
);
CREATE INDEX case_tasks_by_case ON case_tasks (case_id, place);
CREATE INDEX case_tasks_open ON case_tasks (case_id, is_check, due_us) WHERE state = 'open';
CREATE INDEX case_tasks_of ON case_tasks (assignee_id, due_us) WHERE state = 'open';

-- What people put into the timeline by hand.
CREATE TABLE case_events (
    id      TEXT PRIMARY KEY,
    case_id TEXT NOT NULL REFERENCES cases (id),
    at_us   BIGINT NOT NULL,
    text    TEXT NOT NULL,
    by_id   TEXT REFERENCES users (id),
    made_us BIGINT NOT NULL
);
CREATE INDEX case_events_by_case ON case_events (case_id, at_us);

CREATE TABLE case_observables (
    id      TEXT PRIMARY KEY,
    case_id TEXT NOT NULL REFERENCES cases (id),
    kind    TEXT NOT NULL,
    value   TEXT NOT NULL,
    note    TEXT NOT NULL,
    origin  TEXT NOT NULL,
    at_us   BIGINT NOT NULL,
    by_id   TEXT REFERENCES users (id),
    UNIQUE (case_id, kind, value)
);
CREATE INDEX case_observables_by_value ON case_observables (kind, value);

CREATE TABLE case_systems (
    id       TEXT PRIMARY KEY,
    case_id  TEXT NOT NULL REFERENCES cases (id),
    name     TEXT NOT NULL,
    level    INTEGER,
    operator TEXT NOT NULL,
    note     TEXT NOT NULL
);
CREATE INDEX case_systems_by_case ON case_systems (case_id, name);

CREATE TABLE case_links (
    case_id  TEXT NOT NULL REFERENCES cases (id),
    other_id TEXT NOT NULL REFERENCES cases (id),
    at_us    BIGINT NOT NULL,
    by_id    TEXT REFERENCES users (id),
    PRIMARY KEY (case_id, other_id)
);

-- Bundles that the collector sealed and holds for a case, and everything that was done with them.
CREATE TABLE case_evidence (
    id       TEXT PRIMARY KEY,
    case_id  TEXT NOT NULL REFERENCES cases (id),
    alert_id TEXT NOT NULL REFERENCES alerts (id),
    digest   TEXT NOT NULL,
    name     TEXT NOT NULL,
    bytes    BIGINT NOT NULL,
    contents TEXT NOT NULL,
    missing  TEXT NOT NULL,
    at_us    BIGINT NOT NULL,
    released INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX case_evidence_by_case ON case_evidence (case_id, at_us);
CREATE TABLE case_custody (
    id          TEXT PRIMARY KEY,
    evidence_id TEXT NOT NULL REFERENCES case_evidence (id),
    at_us       BIGINT NOT NULL,
    by_id       TEXT REFERENCES users (id),
    action      TEXT NOT NULL,
    reason      TEXT NOT NULL
);
CREATE INDEX case_custody_by_evidence ON case_custody (evidence_id, at_us);

-- What somebody is told of inside the console.
CREATE TABLE inbox (
    id      TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    at_us   BIGINT NOT NULL,
    kind    TEXT NOT NULL,
    case_id TEXT NOT NULL REFERENCES cases (id),
    by_id   TEXT REFERENCES users (id),
    seen_us BIGINT
);
CREATE INDEX inbox_by_user ON inbox (user_id, at_us);

-- Cases that share rules are found without reading all alerts of the rule.
CREATE INDEX alerts_in_cases ON alerts (rule_id, case_id) WHERE case_id IS NOT NULL;
