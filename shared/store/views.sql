-- What people read with SQL in a store's file. Each statement may run again and changes nothing the second time.

-- Step by step: one row for each number in the arrays of a forecast.
CREATE VIEW IF NOT EXISTS forecast_steps AS
SELECT queue, metric, job, issued_at,
       coalesce(CAST(strftime('%s', json_extract(document, '$.day_starts[' || steps.key || ']')) AS INTEGER),
                issued_at + steps.key * period_seconds) AS timestamp,
       steps.key + 1 AS step, steps.value AS prediction,
       json_extract(document, '$.lower_bound[' || steps.key || ']') AS lower_bound,
       json_extract(document, '$.upper_bound[' || steps.key || ']') AS upper_bound,
       model, project, cluster, job_id, created_at, series_id
FROM forecasts, json_each(forecasts.document, '$.prediction') AS steps;

-- One value per lead time: every step of every forecast ever issued.
CREATE VIEW IF NOT EXISTS forecast_issued AS
SELECT queue, metric, job, issued_at, timestamp, step, prediction, lower_bound, upper_bound, model, project, cluster, job_id,
       created_at, series_id
FROM forecast_steps;

-- What a dashboard draws: each moment as the newest forecast issued by then says it; of an older, longer one no tail is left.
CREATE VIEW IF NOT EXISTS forecast_latest AS
SELECT * FROM forecast_issued AS this
WHERE NOT EXISTS (
    SELECT 1 FROM forecasts AS newer
    WHERE (newer.series_id, newer.job) = (this.series_id, this.job)
      AND (newer.issued_at, newer.created_at) > (this.issued_at, this.created_at) AND newer.issued_at <= this.timestamp
);

-- The quantiles of each step, one row for each level: with the probability `level` the value is no more than `value`.
CREATE VIEW IF NOT EXISTS forecast_quantiles AS
SELECT queue, metric, job, issued_at,
       coalesce(CAST(strftime('%s', json_extract(document, '$.day_starts[' || steps.key || ']')) AS INTEGER),
                issued_at + steps.key * period_seconds) AS timestamp,
       steps.key + 1 AS step, levels.value AS level, steps.value AS value, project, cluster, job_id, created_at, series_id
FROM forecasts, json_each(forecasts.document, '$.quantiles.levels') AS levels,
     json_each(forecasts.document, '$.quantiles.values[' || levels.key || ']') AS steps;

-- What was read, with what it belongs to.
CREATE VIEW IF NOT EXISTS actual_values AS
SELECT queue, metric, project, cluster, period_seconds, aggregation, timestamp, value FROM actuals JOIN series USING (series_id);
