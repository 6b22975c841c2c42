-- The tables of SqliteStore. Each statement may run again and changes nothing the second time.
--
-- Moments on a series' grid (issued_at, timestamp) are whole seconds since 1970, UTC, as in every other place we write.
-- Moments of the wall clock (created_at, started_at, ended_at) are microseconds, since jobs are ordered by them.
-- Documents (request, quality, …) are JSON, as shared/documents.py writes them.

CREATE TABLE IF NOT EXISTS jobs (
    job_id          TEXT PRIMARY KEY,
    state           TEXT NOT NULL,
    reason          TEXT,
    request         TEXT NOT NULL,
    owner           TEXT NOT NULL,
    project         TEXT NOT NULL,
    user_name       TEXT NOT NULL,
    client          TEXT NOT NULL,
    idempotency_key TEXT,
    fingerprint     TEXT,
    request_id      TEXT,
    warnings        TEXT NOT NULL,
    progress        TEXT NOT NULL,
    issued_at       INTEGER,
    created_at      INTEGER NOT NULL,
    started_at      INTEGER,
    ended_at        INTEGER
) STRICT;

CREATE UNIQUE INDEX IF NOT EXISTS jobs_by_key ON jobs (client, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX IF NOT EXISTS jobs_by_age ON jobs (created_at, job_id);
CREATE INDEX IF NOT EXISTS jobs_by_state ON jobs (state, created_at, job_id);
CREATE INDEX IF NOT EXISTS jobs_by_owner ON jobs (owner, created_at, job_id);
CREATE INDEX IF NOT EXISTS jobs_by_project ON jobs (project, created_at, job_id);
CREATE INDEX IF NOT EXISTS jobs_by_user ON jobs (user_name, created_at, job_id);

CREATE TABLE IF NOT EXISTS job_queues (
    job_id                 TEXT NOT NULL,
    queue                  TEXT NOT NULL,
    state                  TEXT NOT NULL,
    reason                 TEXT,
    quality                TEXT,
    winner                 TEXT, -- the model's name
    winner_hyperparameters TEXT,
    explanation            TEXT,
    selected_on            TEXT NOT NULL,
    seconds                REAL NOT NULL,
    PRIMARY KEY (job_id, queue)
) STRICT, WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS job_queues_by_queue ON job_queues (queue, winner);
CREATE INDEX IF NOT EXISTS job_queues_by_winner ON job_queues (winner);

CREATE TABLE IF NOT EXISTS outcomes (
    job_id          TEXT NOT NULL,
    queue           TEXT NOT NULL,
    rank            INTEGER NOT NULL, -- 0 = best
    candidate_id    TEXT NOT NULL,
    model           TEXT NOT NULL,
    hyperparameters TEXT NOT NULL,
    mape            REAL,
    scores          TEXT, -- measures and windows; NULL = a failure, which has an error and a reason instead
    error           TEXT,
    reason          TEXT,
    seconds         REAL NOT NULL,
    PRIMARY KEY (job_id, queue, rank),
    FOREIGN KEY (job_id, queue) REFERENCES job_queues ON DELETE CASCADE
) STRICT;

CREATE TABLE IF NOT EXISTS forecasts (
    queue           TEXT NOT NULL,
    metric          TEXT NOT NULL,
    job             TEXT NOT NULL,
    issued_at       INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    job_id          TEXT NOT NULL,
    model           TEXT NOT NULL,
    hyperparameters TEXT NOT NULL,
    mape            REAL,
    skill           REAL,
    horizon         INTEGER NOT NULL,
    period_seconds  INTEGER NOT NULL,
    seconds         REAL NOT NULL,
    PRIMARY KEY (queue, metric, job, issued_at)
) STRICT, WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS forecasts_by_job_id ON forecasts (job_id);

CREATE TABLE IF NOT EXISTS forecast_steps (
    queue       TEXT NOT NULL,
    metric      TEXT NOT NULL,
    job         TEXT NOT NULL,
    issued_at   INTEGER NOT NULL,
    timestamp   INTEGER NOT NULL,
    step        INTEGER NOT NULL,
    prediction  REAL NOT NULL,
    lower_bound REAL NOT NULL,
    upper_bound REAL NOT NULL,
    PRIMARY KEY (queue, metric, job, issued_at, timestamp),
    FOREIGN KEY (queue, metric, job, issued_at) REFERENCES forecasts ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS actuals (
    queue          TEXT NOT NULL,
    metric         TEXT NOT NULL,
    period_seconds INTEGER NOT NULL,
    timestamp      INTEGER NOT NULL,
    value          REAL NOT NULL,
    PRIMARY KEY (queue, metric, period_seconds, timestamp)
) STRICT, WITHOUT ROWID;

-- One value per lead time: every step of every forecast ever issued.
CREATE VIEW IF NOT EXISTS forecast_issued AS
SELECT queue, metric, job, issued_at, timestamp, step, prediction, lower_bound, upper_bound, model
FROM forecast_steps JOIN forecasts USING (queue, metric, job, issued_at);

-- What a dashboard draws: each moment as the newest forecast issued by then says it; of an older, longer one no tail is left.
CREATE VIEW IF NOT EXISTS forecast_latest AS
SELECT * FROM forecast_issued AS this
WHERE NOT EXISTS (
    SELECT 1 FROM forecasts AS newer
    WHERE (newer.queue, newer.metric, newer.job) = (this.queue, this.metric, this.job)
      AND newer.issued_at > this.issued_at AND newer.issued_at <= this.timestamp
);
