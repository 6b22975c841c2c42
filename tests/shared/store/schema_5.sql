CREATE TABLE accuracy (queue TEXT NOT NULL, metric TEXT NOT NULL, job TEXT NOT NULL, issued_at INTEGER NOT NULL, first_step INTEGER NOT NULL, created_at INTEGER NOT NULL, job_id TEXT NOT NULL, model TEXT NOT NULL, period_seconds INTEGER NOT NULL, is_final INTEGER NOT NULL, forecasts INTEGER NOT NULL, steps INTEGER NOT NULL, error REAL NOT NULL, size REAL NOT NULL, surplus REAL NOT NULL, relative_steps INTEGER NOT NULL, relative_error REAL NOT NULL, covered_steps INTEGER NOT NULL, compared_steps INTEGER NOT NULL, compared_error REAL NOT NULL, compared_size REAL NOT NULL, naive_error REAL NOT NULL, PRIMARY KEY (queue, metric, job, issued_at, first_step)) STRICT, WITHOUT ROWID;
INSERT INTO "accuracy" VALUES('root.etl','used_capacity','Resource Forecasting',1767571200,1,1767571320000000,'job-1','seasonal_naive',3600,1,1,6,30.0,300.0,6.0,6,60.0,5,0,0.0,0.0,0.0);
CREATE TABLE actuals (queue TEXT NOT NULL, metric TEXT NOT NULL, period_seconds INTEGER NOT NULL, timestamp INTEGER NOT NULL, value REAL NOT NULL, PRIMARY KEY (queue, metric, period_seconds, timestamp)) STRICT, WITHOUT ROWID;
INSERT INTO "actuals" VALUES('root.etl','used_capacity',3600,1767571200,1.5);
CREATE TABLE forecasts (queue TEXT NOT NULL, metric TEXT NOT NULL, job TEXT NOT NULL, issued_at INTEGER NOT NULL, created_at INTEGER NOT NULL, job_id TEXT NOT NULL, model TEXT NOT NULL, period_seconds INTEGER NOT NULL, document TEXT NOT NULL, PRIMARY KEY (queue, metric, job, issued_at)) STRICT;
INSERT INTO "forecasts" VALUES('root.etl','used_capacity','Resource Forecasting',1767571200,1767571320000000,'job-1','seasonal_naive',3600,'{"queue":"root.etl","metric":"used_capacity","job":"Resource Forecasting","job_id":"job-1","issued_at":"2026-01-05T00:00:00Z","created_at":"2026-01-05T00:02:00Z","step_seconds":3600,"model":"seasonal_naive","hyperparameters":{"days":1},"mape":7.5,"skill":0.2,"seconds":1.5,"prediction":[50.0,60.0,55.0],"lower_bound":[40.0,45.0,41.0],"upper_bound":[60.0,75.0,70.0]}');
CREATE TABLE jobs (job_id TEXT NOT NULL, state TEXT NOT NULL, owner TEXT NOT NULL, project TEXT NOT NULL, user_name TEXT NOT NULL, account TEXT NOT NULL, max_candidates INTEGER NOT NULL, client TEXT NOT NULL, idempotency_key TEXT, created_at INTEGER NOT NULL, ended_at INTEGER, document TEXT NOT NULL, PRIMARY KEY (job_id)) STRICT;
INSERT INTO "jobs" VALUES('job-1','queued','ui-service','capacity forecasting','Bob','',2000,'local',NULL,1767571200000000,NULL,'{"job_id":"job-1","request":{"job_name":"Resource Forecasting","data":{"source":{"name":"files","database":null,"collection":null,"document":null,"measurement":null,"path":"*.csv"},"destination":{"name":"files","database":null,"collection":null,"document":null,"measurement":null,"path":null}},"aggregation_time_period":"1h","data_ingestion_time_period":"14d","future_prediction_time_period":"1d","job_description":"","user_name":"Bob","project":"capacity forecasting","owner":"ui-service","model":"auto","hyperparameters":{},"queues":["*"],"target":"used_capacity","time_field":"timestamp","queue_field":"queue","columns":null,"aggregation":"mean","backtest_windows":3,"interval":0.9,"bounds":[0.0,null],"timezone":"UTC","holidays":null,"as_of":"2026-01-05T00:00:00Z","deadline":"1h","max_candidates":2000},"created_at":"2026-01-05T00:00:00Z","state":"queued","reason":null,"warnings":[],"progress":{"queues":{"total":0,"done":0,"failed":0},"candidates":{"total":0,"done":0,"failed":0},"replans":0},"started_at":null,"ended_at":null,"issued_at":null,"request_id":null,"client":"local","idempotency_key":null,"fingerprint":null,"queued_at":null}');
CREATE TABLE outcomes (job_id TEXT NOT NULL, queue TEXT NOT NULL, rank INTEGER NOT NULL, document TEXT NOT NULL, PRIMARY KEY (job_id, queue, rank)) STRICT;
INSERT INTO "outcomes" VALUES('job-1','root.etl',0,'{"job_id":"job-1","queue":"root.etl","rank":0,"outcome":{"candidate":{"model":"prophet","hyperparameters":{"growth":"flat","scale":1.0,"order":3,"daily":true}},"measures":{"mape":7.5,"wape":7.0,"smape":null,"mase":0.8,"rmse":3.25,"skill":0.2,"steps":3,"skipped_steps":1},"windows":[{"origin_at":"2026-01-05T00:00:00Z","actual":[1.0,null,3.0],"prediction":[1.5,2.5,3.5],"measures":{"mape":7.5,"wape":7.0,"smape":null,"mase":0.8,"rmse":3.25,"skill":0.2,"steps":3,"skipped_steps":1}},{"origin_at":"2026-01-05T00:00:00Z","actual":[1.0,null,3.0],"prediction":[1.5,2.5,3.5],"measures":{"mape":7.5,"wape":7.0,"smape":null,"mase":0.8,"rmse":3.25,"skill":0.2,"steps":3,"skipped_steps":1}}],"seconds":1.25,"kind":"score"}}');
INSERT INTO "outcomes" VALUES('job-1','root.etl',1,'{"job_id":"job-1","queue":"root.etl","rank":1,"outcome":{"candidate":{"model":"seasonal_naive","hyperparameters":{"days":1}},"measures":{"mape":7.5,"wape":7.0,"smape":null,"mase":0.8,"rmse":3.25,"skill":0.2,"steps":3,"skipped_steps":1},"windows":[{"origin_at":"2026-01-05T00:00:00Z","actual":[1.0,null,3.0],"prediction":[1.5,2.5,3.5],"measures":{"mape":7.5,"wape":7.0,"smape":null,"mase":0.8,"rmse":3.25,"skill":0.2,"steps":3,"skipped_steps":1}},{"origin_at":"2026-01-05T00:00:00Z","actual":[1.0,null,3.0],"prediction":[1.5,2.5,3.5],"measures":{"mape":7.5,"wape":7.0,"smape":null,"mase":0.8,"rmse":3.25,"skill":0.2,"steps":3,"skipped_steps":1}}],"seconds":1.25,"kind":"score"}}');
INSERT INTO "outcomes" VALUES('job-1','root.etl',2,'{"job_id":"job-1","queue":"root.etl","rank":2,"outcome":{"candidate":{"model":"var","hyperparameters":{}},"error":"NeedsMoreHistory","reason":"found 3 steps","seconds":0.5,"kind":"failure"}}');
CREATE TABLE reports (job_id TEXT NOT NULL, queue TEXT NOT NULL, state TEXT NOT NULL, winner TEXT, document TEXT NOT NULL, PRIMARY KEY (job_id, queue)) STRICT;
INSERT INTO "reports" VALUES('job-1','root.etl','succeeded','prophet','{"report":{"job_id":"job-1","queue":"root.etl","state":"succeeded","reason":null,"quality":{"rows":100,"steps":336,"duplicates":0,"non_finite":0,"filled_steps":0,"filled_share":0.0,"longest_gap_steps":0,"start_at":"2025-12-22T00:00:00Z","end_at":"2026-01-05T00:00:00Z","dropped_columns":{"x":"constant"},"notes":[],"warnings":[]},"outcomes":[],"winner":{"model":"prophet","hyperparameters":{"growth":"flat","scale":1.0,"order":3,"daily":true}},"explanation":"lowest MAPE","selected_on":"selected on","seconds":4.5},"outcomes":3}');
CREATE TABLE schedules (schedule_id TEXT NOT NULL, account TEXT NOT NULL, project TEXT NOT NULL, document TEXT NOT NULL, PRIMARY KEY (schedule_id)) STRICT;
INSERT INTO "schedules" VALUES('s-1','','capacity forecasting','{"schedule_id":"s-1","name":"every morning","cron":"0 6 * * *","timezone":"Europe/Berlin","request":{"job_name":"Resource Forecasting","data":{"source":{"name":"files","database":null,"collection":null,"document":null,"measurement":null,"path":"*.csv"},"destination":{"name":"files","database":null,"collection":null,"document":null,"measurement":null,"path":null}},"aggregation_time_period":"1h","data_ingestion_time_period":"14d","future_prediction_time_period":"1d","job_description":"","user_name":"Bob","project":"capacity forecasting","owner":"ui-service","model":"auto","hyperparameters":{},"queues":["*"],"target":"used_capacity","time_field":"timestamp","queue_field":"queue","columns":null,"aggregation":"mean","backtest_windows":3,"interval":0.9,"bounds":[0.0,null],"timezone":"UTC","holidays":null,"as_of":"2026-01-05T00:00:00Z","deadline":"1h","max_candidates":2000},"created_at":"2026-01-05T00:00:00Z","due_at":"2026-01-05T05:00:00Z","is_paused":false,"client":"local","last_due_at":null,"last_job_id":null,"last_skip":null}');
CREATE TABLE sessions (digest TEXT NOT NULL, token_id TEXT NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, PRIMARY KEY (digest)) STRICT, WITHOUT ROWID;
INSERT INTO "sessions" VALUES('s','t-1',1767571200000000,1767614400000000);
CREATE TABLE tokens (token_id TEXT NOT NULL, digest TEXT NOT NULL, created_at INTEGER NOT NULL, document TEXT NOT NULL, PRIMARY KEY (token_id)) STRICT;
INSERT INTO "tokens" VALUES('t-1','d',1767571200000000,'{"token_id":"t-1","name":"ci","digest":"d","scope":"admin","created_at":"2026-01-05T00:00:00Z","projects":[],"expires_at":null,"revoked_at":null,"last_used_at":null}');
CREATE INDEX jobs_by_created_at_and_job_id ON jobs (created_at, job_id);
CREATE INDEX jobs_by_state_and_created_at_and_job_id ON jobs (state, created_at, job_id);
CREATE INDEX jobs_by_owner_and_created_at_and_job_id ON jobs (owner, created_at, job_id);
CREATE INDEX jobs_by_project_and_created_at_and_job_id ON jobs (project, created_at, job_id);
CREATE INDEX jobs_by_user_name_and_created_at_and_job_id ON jobs (user_name, created_at, job_id);
CREATE INDEX jobs_by_account_and_state ON jobs (account, state);
CREATE UNIQUE INDEX jobs_unique ON jobs (client, idempotency_key);
CREATE INDEX reports_by_queue_and_winner ON reports (queue, winner);
CREATE INDEX reports_by_winner ON reports (winner);
CREATE INDEX forecasts_by_job_id ON forecasts (job_id);
CREATE INDEX forecasts_by_created_at ON forecasts (created_at);
CREATE INDEX accuracy_by_metric_and_issued_at ON accuracy (metric, issued_at);
CREATE INDEX accuracy_by_created_at ON accuracy (created_at);
CREATE UNIQUE INDEX tokens_unique ON tokens (digest);
CREATE INDEX sessions_by_token_id_and_created_at ON sessions (token_id, created_at);
CREATE INDEX sessions_by_expires_at ON sessions (expires_at);
CREATE VIEW forecast_steps AS
SELECT queue, metric, job, issued_at, issued_at + steps.key * period_seconds AS timestamp, steps.key + 1 AS step,
       steps.value AS prediction,
       json_extract(document, '$.lower_bound[' || steps.key || ']') AS lower_bound,
       json_extract(document, '$.upper_bound[' || steps.key || ']') AS upper_bound
FROM forecasts, json_each(forecasts.document, '$.prediction') AS steps;
CREATE VIEW forecast_issued AS
SELECT queue, metric, job, issued_at, timestamp, step, steps.prediction, steps.lower_bound, steps.upper_bound, model
FROM forecast_steps AS steps JOIN forecasts USING (queue, metric, job, issued_at);
CREATE VIEW forecast_latest AS
SELECT * FROM forecast_issued AS this
WHERE NOT EXISTS (
    SELECT 1 FROM forecasts AS newer
    WHERE (newer.queue, newer.metric, newer.job) = (this.queue, this.metric, this.job)
      AND newer.issued_at > this.issued_at AND newer.issued_at <= this.timestamp
);
PRAGMA user_version = 5;
