-- One log in which each line carries the digest of the line before it. What stood in the log before is taken into the
-- chain when the store is opened (src/store/chain.rs), because digests cannot be computed here.
ALTER TABLE audit RENAME TO audit_before_chain;

CREATE TABLE audit (
    number   BIGINT PRIMARY KEY,
    at_us    BIGINT NOT NULL,
    by_id    TEXT REFERENCES users (id),
    by_name  TEXT,
    action   TEXT NOT NULL,
    subject  TEXT NOT NULL,
    detail   TEXT NOT NULL,
    address  TEXT,
    previous TEXT NOT NULL,
    digest   TEXT NOT NULL
);
CREATE INDEX audit_by_subject ON audit (subject, number);
CREATE INDEX audit_by_action ON audit (action, number);

-- Lines are only ever added, and only at the end.
CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'lines of the log are never changed');
END;
CREATE TRIGGER audit_is_never_shortened BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'lines of the log are never removed');
END;
CREATE TRIGGER audit_only_grows_at_its_end BEFORE INSERT ON audit
WHEN NEW.number <> (SELECT COALESCE(MAX(number), 0) + 1 FROM audit)
    OR NEW.previous <> COALESCE((SELECT digest FROM audit WHERE number = NEW.number - 1),
        '0000000000000000000000000000000000000000000000000000000000000000')
BEGIN
    SELECT RAISE(ABORT, 'a line of the log follows the last one');
END;
