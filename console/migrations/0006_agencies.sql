-- The register of agencies: a tree with dates, what belongs to each agency, and how far people reach. Days are texts,
-- `2026-11-22`.
CREATE TABLE agencies (
    -- What events carry as `organization.id`; never changed.
    id         TEXT PRIMARY KEY,
    code       TEXT,
    name       TEXT NOT NULL,
    kind       TEXT NOT NULL,
    parent_id  TEXT REFERENCES agencies (id),
    valid_from TEXT,
    valid_to   TEXT,
    note       TEXT NOT NULL,
    version    BIGINT NOT NULL,
    updated_us BIGINT NOT NULL
);
CREATE UNIQUE INDEX agencies_by_code ON agencies (code) WHERE code IS NOT NULL;
CREATE INDEX agencies_by_parent ON agencies (parent_id);

-- Whom an agency became, or became part of.
CREATE TABLE agency_successors (
    agency_id    TEXT NOT NULL REFERENCES agencies (id),
    successor_id TEXT NOT NULL REFERENCES agencies (id),
    PRIMARY KEY (agency_id, successor_id)
);
CREATE INDEX agency_successors_by_new ON agency_successors (successor_id);

-- Contacts, networks, systems and assets: the columns that are searched and put in order, and the whole as JSON.
CREATE TABLE agency_records (
    id          TEXT PRIMARY KEY,
    agency_id   TEXT NOT NULL REFERENCES agencies (id),
    kind        TEXT NOT NULL,
    name        TEXT NOT NULL,
    address     TEXT,
    level       INTEGER,
    verified_on TEXT,
    valid_from  TEXT,
    valid_to    TEXT,
    body        TEXT NOT NULL,
    words       TEXT NOT NULL,
    version     BIGINT NOT NULL,
    updated_us  BIGINT NOT NULL,
    UNIQUE (agency_id, kind, name)
);
CREATE INDEX agency_records_by_kind ON agency_records (kind, name, id);
CREATE INDEX agency_records_by_address ON agency_records (kind, address);

-- How far somebody reaches: everything where it is missing (agencies' own people: nothing).
ALTER TABLE users ADD COLUMN agency_id TEXT REFERENCES agencies (id);

-- Who reaches whom: downwards in the tree, and from a successor to what became part of it.
CREATE VIEW agency_edges (upper, lower) AS
    SELECT parent_id, id FROM agencies WHERE parent_id IS NOT NULL
    UNION ALL SELECT successor_id, agency_id FROM agency_successors;
