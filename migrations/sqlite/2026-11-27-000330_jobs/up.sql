-- Which node runs a job: the fence grows with every holder, and each commit of a run says under which fence it is made. Leases run on real time, also
-- where the clock is a test's. Everything scheduled up to caught_up_to has a run.
CREATE TABLE job (
    name TEXT NOT NULL PRIMARY KEY,
    fence INTEGER NOT NULL,
    holder TEXT NOT NULL,
    leased_until TEXT NOT NULL,
    caught_up_to TEXT NOT NULL
) STRICT;

-- A run of a job: what it covers, the step that it is at, and how it ended. Missed occurrences are one run.
CREATE TABLE job_run (
    id INTEGER NOT NULL PRIMARY KEY,
    job TEXT NOT NULL REFERENCES job (name),
    cause TEXT NOT NULL CHECK (cause IN ('schedule', 'manual')),
    scheduled_at TEXT NOT NULL,
    occurrences INTEGER NOT NULL CHECK (occurrences > 0),
    ledger_date TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'failed', 'done')),
    step TEXT,
    progress INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    node INTEGER,
    fence INTEGER,
    requested_by INTEGER,
    error TEXT,
    retry_at TEXT,
    created_at TEXT NOT NULL,
    finished_at TEXT,
    CHECK ((finished_at IS NOT NULL) = (state = 'done'))
) STRICT;
CREATE INDEX job_run_job ON job_run (job, id);
CREATE UNIQUE INDEX job_run_occurrence ON job_run (job, scheduled_at) WHERE cause = 'schedule';
