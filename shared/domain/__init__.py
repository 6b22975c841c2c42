"""What we speak of: values and rules that know no database, no broker and no network. This is the glossary.

queue                 a series we forecast (a YARN queue); what Celery calls queues are lanes
queue tree, share     the queues of a cluster below their parents · what one of them has of a partition (a node label)
guarantee, ceiling    what a queue gets when it asks for it · what it never goes beyond
demand                what a queue's applications use and wait for
target                the column of a queue that is forecast; users write and read it as `metric` too
covariates            further columns of a queue, which may help to forecast the target
step                  one bucket of a series: `step_seconds` long, UTC, named by its start
series                the values of one queue, target and step, by time
physical range        which values are possible: `bounds` of a request

project, account      whose work it is · whose allowance it takes
token, session        who may ask for what · who has logged in with a token
job                   one request and all that follows from it; ours, never Celery's; a task is Celery's
schedule, due time    a request that becomes a job again and again · the moment of one of them
run, cadence          what a job does for its queues: search, refit, actuals · when a schedule makes runs of one kind
drift                 issued forecasts have become so much worse than their search expected that all candidates compete again
run failure           a run that brought a queue no forecast, so that the last good one stays
admission, validation what is checked before a job is accepted · a look at a request on demand
concurrency           how many queues run at a time, of all jobs
lane                  where Celery's tasks wait

source, sink          somebody's database that we read · one that we write
store                 our own records
connection            a source or sink that an administrator has configured; requests know its name only
place                 where in a connection data lie
snapshot              the prepared series of a queue, as its candidates see it
quality               what was wrong with a queue's data, and what was done about it

model                 what forecasts; its hyperparameters are its fields
candidate             a model with hyperparameters, to be tried on a queue
block                 candidates of a queue that are scored in one task
cutoff                where the known past ends: of a fold, of a forecast (then it is the issue time), of a request (`as_of`)
fold                  one window of the backtest: what is known before its cutoff, and what came after
horizon               how many steps ahead
lead                  how far ahead a step is
outcome               a score, or a failure with its reason
accuracy measure      MAPE, WAPE, MASE and others; sMAPE and skill among them
reference forecast    the same hour of the day before, which skill compares with; it decides nothing
leaderboard           all outcomes of a queue, best first, failures last
winner, blend         the candidate whose forecast is delivered · one made of several
lead-time group       up to 6 h, 6–24 h, day 2, day 3, later

forecast              issue time, and for each step a prediction with its prediction interval
prediction interval   lower and upper bound; its level is the share of actual values that they should cover
issue                 a forecast as it was issued; step 1 begins at its issue time
actual value          what was read of a step afterwards
verification          issued forecasts against what happened
outlook, peak         what is to be expected of a queue, as its owner sees it first · the highest value of a day
breach                the guarantee or the ceiling is exceeded: work runs on what others leave idle, or waits
what-if               the same outlook with other limits or more demand, on the same paths
claim, calibration    the chance of a breach that a forecast gave when it was issued · whether what was so likely came so often

run state             what a running job needs, in the broker's server; gone with the job
attempt               one try at a piece of work, counted before it begins
recovery, action      what the reaper decides · one thing that it does
orphan                a message without a job
"""
