"""The steps of a job: load, call the pipeline, save."""
