-- Which node runs a job: the fence grows with every holder, and each commit of a run says under which fence it is made. Leases run on real time, also
-- where the clock is a test's. Everything scheduled up to caught_up_to has a run.
CREATE TABLE job (
    name TEXT NOT NULL PRIMARY KEY,
    fence BIGINT NOT NULL,
    holder TEXT NOT NULL,
    leased_until TIMESTAMP NOT NULL,
    caught_up_to TIMESTAMP NOT NULL
);

-- A run of a job: what it covers, the step that it is at, and how it ended. Missed occurrences are one run.
CREATE TABLE job_run (
    id BIGINT NOT NULL PRIMARY KEY,
    job TEXT NOT NULL REFERENCES job (name),
    cause TEXT NOT NULL CHECK (cause IN ('schedule', 'manual')),
    scheduled_at TIMESTAMP NOT NULL,
    occurrences BIGINT NOT NULL CHECK (occurrences > 0),
    ledger_date DATE NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'failed', 'done')),
    step TEXT,
    progress BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    node BIGINT,
    fence BIGINT,
    requested_by BIGINT,
    error TEXT,
    retry_at TIMESTAMP,
    created_at TIMESTAMP NOT NULL,
    finished_at TIMESTAMP,
    CHECK ((finished_at IS NOT NULL) = (state = 'done'))
);
CREATE INDEX job_run_job ON job_run (job, id);
CREATE UNIQUE INDEX job_run_occurrence ON job_run (job, scheduled_at) WHERE cause = 'schedule';

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'airsettle_app') THEN
        GRANT SELECT, INSERT, UPDATE ON job, job_run TO airsettle_app;
        REVOKE DELETE ON job, job_run FROM airsettle_app;
    END IF;
END
$$;
