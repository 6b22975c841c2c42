"""What YARN's ResourceManager says, as values of shared/domain/queue_tree.py, and what is said to it: no network, no database.

answer of the ResourceManager ── reading ──▶ QueueTree ◀── configuration ── capacity-scheduler.xml, scheduler-conf
                                              │     │
                      constraints: what a refresh would refuse     effective: guarantees and ceilings with other nodes
                                              │
                            two trees ── patch ──▶ changes ──▶ body of a request · edited file and its diff · their inverses
"""
