"""RunState: all that a running job needs, in database 2 of the broker's server; gone when the job has ended.

It is the truth of a running job; a Celery message only wakes somebody up. A job without its hash has ended: nothing is written
for it any more, nor by a task of an earlier run (`within_run`). Keys, per job or per (job, queue):

    active                                   set: jobs with run state
    job:{job}                                hash: run, request_id, deadline_at, queues, next, planned, candidates_total|done …
    queues:{job} released:{job} done:{job}   list: order of release · hash: queue → time · hash: queue → reason, "" = forecast
    waiting:{job}                            hash: queue ("" = the plan) → the service it waits for
    delivering:{job}                         hash: queue → since when its forecast is being delivered; as long as a task may take
    read:{job} reading:{job}:{queue}         blocks of queues that are read together, and what was read of each: readings.py
    data:{job}:{queue} candidates:{job}:{queue}        the snapshot's bytes · the QueueWork
    outcome:… attempt:…                      hash: index → outcome · what → attempts begun: attempts.py
    turns:… let_in:… project:…               whose turn it is: turns.py
    fleet fleet:members                      what all processes that run tasks have the same, and who does: agreement.py
    workers worker:{id} slots                who lives, and how many tasks may run: members.py
    version:{role} reaper collector          who has a role, with which version: members.py
    collected asked:{cluster}                what the collector has of each cluster, and when it asked: collections.py
    catalogue question:… answer:… answered:… the model cards: members.py · what the API asks a worker: questions.py

The keys of a queue go when it ends, so that a big job takes no more room than the queues that run at a time. Whoever wants its
outcomes reads them, and then asks whether it has ended: until then they were whole. All keys expire a day after the job's
deadline, in case nobody deletes them.
"""

from shared.fleet.runstate.state import RunState

__all__ = ["RunState"]
