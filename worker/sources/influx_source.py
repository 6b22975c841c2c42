"""InfluxSource: a measurement of an InfluxDB of any version, resampled in the server by InfluxQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import pandas as pd

from shared.connections.influxdb import InfluxdbConnection
from shared.domain.identifiers import listed
from shared.domain.losses import Loss
from shared.drivers.influx import names_in, quoted_field
from shared.errors import EmptySeries
from worker.sources import sources
from worker.sources._covariates import fitted
from worker.sources._lost import MAX_LOST, by_end
from worker.sources._names import joined
from worker.sources._several import Tables, concurrent, looked_at, refuse_unasked
from worker.sources.base import MAX_QUEUES, Query, Reading, SourceView, check_count, raise_all
from worker.sources.influx.answers import only, tables_of
from worker.sources.influx.database import InfluxDatabase
from worker.sources.influx.points import held_steps, refuse_turns
from worker.sources.influx.reasons import (
    faults,
    impossible,
    is_beyond,
    moment,
    nameless_points,
    others_among,
    unknown_tags,
    unnamed,
    unread,
    why_nothing,
)
from worker.sources.influx.statements import (
    Kinds,
    Points,
    any_field,
    measurement_of,
    number,
    points_of,
    possible,
    steps_statements,
    within,
)

LOOKED_AT = 2_000  # points of a series in a step


@sources.register("influxdb")
class InfluxSource:
    """Queues are the values of the tags `queue_field`, columns are fields; a point without the first tag belongs to no queue.

    Two points of one series and time cannot be: the server keeps the later one. Read with a user who may only read.
    """

    def __init__(self, connection: InfluxdbConnection) -> None:
        self._database = InfluxDatabase(connection)

    def queues(self, query: Query) -> list[str]:
        """Every queue, sorted; raises SourceNotFound with the measurements or tags that there are."""
        self._database.reach()
        is_index_enough = len(query.queue_fields) == 1 and not query.where
        names = self._tag_values(query) if is_index_enough else self._combinations(query)
        check_count(names, query.queue_field)
        if not names:
            kinds = self._database.kinds(query.place)
            raise_all(list(unknown_tags(self._database, query, kinds)))
            kept = " that `where` keeps" if query.where else ""
            raise EmptySeries(f"found no point{kept} with a tag {query.queue_field!r} in {query.place.measurement!r}")
        return sorted(names)

    def check(self, query: Query) -> SourceView:
        """Look at tags, fields and the ends of the history; says all that is wrong at once."""
        self._database.reach()
        kinds = self._database.kinds(query.place)
        query, said = self._fitted(query, kinds)
        raise_all([*faults(query, kinds), *unknown_tags(self._database, query, kinds)])
        queues, columns = self.queues(query), query.chosen(unnamed(query, kinds))
        start_at, end_at = self._span(query, columns, kinds)
        notes = (*said, *unread(query, kinds))
        return SourceView(queues=tuple(queues), columns=columns, start_at=start_at, end_at=end_at, notes=notes)

    def read(self, query: Query) -> Reading:
        """The history of one queue; raises SourceNotFound, EmptySeries, UnreadableData."""
        self._database.reach()
        kinds = self._database.kinds(query.place)
        query, said = self._fitted(query, kinds)
        raise_all(list(faults(query, kinds)))
        columns, points = query.chosen(unnamed(query, kinds)), points_of(query, kinds)
        if not columns:
            raise EmptySeries(f"found no field of numbers in {query.place.measurement!r}; its fields are {listed(kinds)}")
        steps = self._steps(query, points, columns, kinds)
        if steps["n0"].max() > 1 and not query.is_one_thing:
            refuse_turns(self._database, query, points, kinds)
        steps, losses = self._possible(query, points, steps, columns, kinds)
        frame = pd.DataFrame({name: steps[f"v{place}"] for place, name in enumerate(columns)}).dropna(how="all")
        losses += others_among(self._database, query, points, frame, kinds)
        if frame.empty or (query.target and frame[query.target].isna().all()):
            raise why_nothing(self._database, query, points, kinds, losses)
        lost = sum(loss.count for loss in losses if loss.column == columns[0])
        rows = int(steps["n0"].sum()) + lost
        losses += nameless_points(self._database, query, columns[0], kinds, rows)
        return Reading(
            frame=frame,
            rows=rows,
            non_finite=lost,
            newest_at=self._newest(query, points, frame, kinds),
            oldest_at=self._oldest(query, points, kinds),
            losses=tuple(losses),
            notes=(*said, *unread(query, kinds)),
        )

    def _oldest(self, query: Query, points: Points, kinds: Kinds) -> datetime | None:
        """The first sample before the history: one look that ends with the point it finds."""
        if not (earlier := query.earlier):
            return None
        statement = points.select(number(str(query.target), kinds), within(earlier), tail=" LIMIT 1")
        rows = self._database.rows(statement, query.place, points.values)
        return moment(rows[0][0]) if rows else None

    def _fitted(self, query: Query, kinds: Kinds) -> tuple[Query, tuple[str, ...]]:
        return fitted(query, lambda: {*self._database.tags(query.place), *kinds}.__contains__)

    def _newest(self, query: Query, points: Points, frame: pd.DataFrame, kinds: Kinds) -> datetime | None:
        """When the newest sample of the target was taken: one look into its last step."""
        if not query.target:
            return None
        start = frame[query.target].dropna().index[-1].to_pydatetime()
        last = replace(query, start=start, end=query.grid.step_start(start, 2))
        statement = points.select(f"last({number(query.target, kinds)})", within(last))
        rows = self._database.rows(statement, query.place, points.values)
        return moment(rows[0][0]) if rows else None

    def _steps(self, query: Query, points: Points, columns: Sequence[str], kinds: Kinds) -> pd.DataFrame:
        """Whole steps of all series of the queue together, once it is clear that they are one thing."""
        if query.holds:
            return held_steps(self._database, query, points, columns, kinds)
        statements = steps_statements(query, points, columns, kinds, by="*")
        tables = tables_of(self._database.ask(statements, query.place, points.values))
        if len(tables) > 1:
            self._refuse_unasked(query, points, columns, kinds, tables)
            statements = steps_statements(query, points, columns, kinds)
            tables = tables_of(self._database.ask(statements, query.place, points.values))
        return only(tables, len(columns))

    def _refuse_unasked(self, query: Query, points: Points, columns: Sequence[str], kinds: Kinds, tables: Tables) -> None:
        """Raises UnreadableData where several series have values of their own; looks at the points of three steps."""
        judged = query.judged(columns)
        for place, name in enumerate(columns):
            together = concurrent(tables, f"v{place}")
            if name in judged and len(together):
                starts = [at.to_pydatetime() for at in looked_at(together)]
                queries = [replace(query, start=start, end=query.grid.step_start(start, 2)) for start in starts]
                field, tail = number(name, kinds), f" LIMIT {LOOKED_AT}"
                statements = ";".join(points.select(field, within(one), group_by="*", tail=tail) for one in queries)
                refuse_unasked(query, tables, f"v{place}", self._database.ask(statements, query.place, points.values))

    def _possible(
        self, query: Query, points: Points, steps: pd.DataFrame, columns: Sequence[str], kinds: Kinds
    ) -> tuple[pd.DataFrame, list[Loss]]:
        """The steps without values that cannot be, or that stand for no limit, and these as losses."""
        losses: list[Loss] = []
        for place, name in enumerate(columns):
            value, count = f"v{place}", f"n{place}"
            if not (query.holds or is_beyond(query, name, steps[f"low{place}"].min(), steps[f"high{place}"].max())):
                continue
            inside, outside = possible(query, name, kinds)
            found = points.select(f'{number(name, kinds)} AS "v0"', outside, within(query), tail=f" LIMIT {MAX_LOST}")
            rows = self._database.rows(found, query.place, points.values)
            if not rows:
                continue
            lost = [row for row in rows if row[1] not in query.missing_values]
            total = int(steps[count].sum()) + (len(lost) if query.holds else 0)
            if not query.holds:
                kept = replace(points, conditions=(*points.conditions, inside))
                statement = steps_statements(query, kept, [name], kinds)
                own = only(tables_of(self._database.ask(statement, query.place, points.values)), 1)
                steps = steps.assign(**{value: own["v0"], count: own["n0"]})
            losses += impossible(query, name, lost, by_end(steps[value], query), total)
        return steps, losses

    def _tag_values(self, query: Query) -> set[str]:
        """The values of the tag, from the index: also those that have outlived their points."""
        show = f"SHOW TAG VALUES FROM {measurement_of(query.place)} WITH KEY = {quoted_field(query.queue_field)}"
        return set(names_in(self._database.ask(f"{show} LIMIT {MAX_QUEUES + 1}", query.place), 1))

    def _combinations(self, query: Query) -> set[str]:
        """The names that points have, of those that `where` keeps."""
        kinds = self._database.kinds(query.place)
        raise_all(list(unknown_tags(self._database, query, kinds)))
        points, tags = points_of(replace(query, queue=""), kinds), ", ".join(map(quoted_field, query.queue_fields))
        answer = self._database.ask(points.select(any_field(query, kinds), group_by=tags), query.place, points.values)
        names = (joined([series.tags.get(name) for name in query.queue_fields]) for series in answer)
        return {name for name in names if name}

    def _span(self, query: Query, columns: Sequence[str], kinds: Kinds) -> tuple[datetime | None, datetime | None]:
        """First and last sample of the first column in the history asked for."""
        if not columns:
            return None, None
        points, field = points_of(query, kinds), number(columns[0], kinds)
        looks = (points.select(f"{end}({field})", within(query)) for end in ("first", "last"))
        ends = [self._database.rows(statement, query.place, points.values) for statement in looks]
        moments = [moment(rows[0][0]) if rows else None for rows in ends]
        return moments[0], moments[1]
