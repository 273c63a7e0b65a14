-- Notices to agencies: what the team asks of an agency in a case, what its people answer, and the files of both; and the
-- handovers of shifts.
CREATE TABLE agency_notices (
    id              TEXT PRIMARY KEY,
    case_id         TEXT NOT NULL REFERENCES cases (id),
    -- Counted within the case.
    number          BIGINT NOT NULL,
    agency_id       TEXT NOT NULL REFERENCES agencies (id),
    subject         TEXT NOT NULL,
    text            TEXT NOT NULL,
    tlp             TEXT NOT NULL,
    -- What is asked, and when it was first met.
    ask_confirm     INTEGER NOT NULL,
    ask_answer      INTEGER NOT NULL,
    ask_logs        INTEGER NOT NULL,
    ask_remediation INTEGER NOT NULL,
    confirmed_us    BIGINT,
    confirmed_by    TEXT REFERENCES users (id),
    answered_us     BIGINT,
    logs_us         BIGINT,
    remediated_us   BIGINT,
    due_us          BIGINT,
    -- draft, sent, ended
    state           TEXT NOT NULL,
    made_us         BIGINT NOT NULL,
    made_by         TEXT REFERENCES users (id),
    sent_us         BIGINT,
    sent_by         TEXT REFERENCES users (id),
    ended_us        BIGINT,
    ended_by        TEXT REFERENCES users (id),
    ended_reason    TEXT NOT NULL DEFAULT '',
    -- The last mail about it, to how many it went, and whether its lateness was told of.
    told_us         BIGINT,
    told_to         TEXT NOT NULL DEFAULT '[]',
    late_us         BIGINT,
    UNIQUE (case_id, number)
);
CREATE INDEX agency_notices_of ON agency_notices (agency_id, sent_us);
CREATE INDEX agency_notices_due ON agency_notices (due_us) WHERE state = 'sent' AND late_us IS NULL;
CREATE INDEX agency_notices_sent ON agency_notices (state, due_us) WHERE state = 'sent';

-- What was said of a notice, by either side.
CREATE TABLE agency_entries (
    id          TEXT PRIMARY KEY,
    notice_id   TEXT NOT NULL REFERENCES agency_notices (id) ON DELETE CASCADE,
    at_us       BIGINT NOT NULL,
    by_id       TEXT REFERENCES users (id),
    from_agency INTEGER NOT NULL,
    -- confirmed, answer, remediation; message, reminder, late
    kind        TEXT NOT NULL,
    text        TEXT NOT NULL,
    done_us     BIGINT,
    done_by     TEXT NOT NULL DEFAULT ''
);
CREATE INDEX agency_entries_of ON agency_entries (notice_id, at_us);

CREATE TABLE agency_files (
    id          TEXT PRIMARY KEY,
    notice_id   TEXT NOT NULL REFERENCES agency_notices (id) ON DELETE CASCADE,
    agency_id   TEXT NOT NULL,
    from_agency INTEGER NOT NULL,
    name        TEXT NOT NULL,
    bytes       BIGINT NOT NULL,
    received    BIGINT NOT NULL,
    digest      TEXT NOT NULL DEFAULT '',
    -- What it is, by its content.
    kind        TEXT NOT NULL DEFAULT '',
    -- receiving, waiting (whole, the collector has not got it yet), kept
    state       TEXT NOT NULL,
    evidence_id TEXT,
    -- not_scanned, clean, matched; what matched as JSON
    scan        TEXT NOT NULL DEFAULT 'not_scanned',
    matches     TEXT NOT NULL DEFAULT '[]',
    by_id       TEXT REFERENCES users (id),
    begun_us    BIGINT NOT NULL,
    moved_us    BIGINT NOT NULL,
    done_us     BIGINT,
    tries       BIGINT NOT NULL DEFAULT 0,
    next_us     BIGINT NOT NULL DEFAULT 0,
    last_error  TEXT NOT NULL DEFAULT ''
);
CREATE INDEX agency_files_of ON agency_files (notice_id, begun_us);
CREATE INDEX agency_files_day ON agency_files (agency_id, begun_us);
CREATE INDEX agency_files_moving ON agency_files (state, next_us) WHERE state <> 'kept';

-- Contents: of documents for agencies as long as the notice is there, of uploads until the collector has them.
CREATE TABLE agency_file_pieces (
    file_id TEXT NOT NULL REFERENCES agency_files (id) ON DELETE CASCADE,
    at      BIGINT NOT NULL,
    bytes   BIGINT NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (file_id, at)
);

-- Handovers: what the state was is kept as it was shown, with the words of both.
CREATE TABLE shift_handovers (
    id          TEXT PRIMARY KEY,
    number      BIGINT NOT NULL UNIQUE,
    from_id     TEXT NOT NULL REFERENCES users (id),
    to_id       TEXT NOT NULL REFERENCES users (id),
    -- waiting, taken, refused, withdrawn
    state       TEXT NOT NULL,
    handed_us   BIGINT NOT NULL,
    ended_us    BIGINT,
    remarks     TEXT NOT NULL,
    answer      TEXT NOT NULL DEFAULT '',
    snapshot    TEXT NOT NULL,
    digest      TEXT NOT NULL
);
CREATE INDEX shift_handovers_waiting ON shift_handovers (to_id) WHERE state = 'waiting';
