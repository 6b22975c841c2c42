"""Faults on a fleet of its own: every row of the fault table, one by one as tests, and mixed for as long as one likes.

models.py    candidates that wait, crash, raise, hang
names.py     what tests and workers call by the same name
app.py       the workers' Celery application with them, short limits, and named points at which a process kills itself
process.py   starts worker and reaper with short times
fleet.py     broker, workers, reaper and API under the real supervisor, in a folder of their own
verdict.py   what a job must have come to, and what must be left behind: nothing
faults.py    what is injected
run.py       mixed faults for minutes: `python3 deploy/dev.py chaos --minutes 20 --seed 7`
"""
