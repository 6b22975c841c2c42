"""What came of told chances, and the verdict, held with every database."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from shared.domain.calibration import Calibration, ClaimSums
from shared.domain.distribution import Paths
from shared.store import Store
from tests.factories import MONDAY, a_forecast, a_series, an_outlook_score

DAY = timedelta(days=1)
SUMS = an_outlook_score().sums


def test_scores_are_added_by_cell_and_a_day_counts_once(store: Store) -> None:
    keep = store.calibrations
    scores = [an_outlook_score(), an_outlook_score(day=MONDAY + DAY), an_outlook_score(day=MONDAY + 2 * DAY, cell="limit:4")]
    keep.save([*scores, an_outlook_score(series_id="b", project="ml")])
    keep.save(scores[:1])
    week = (MONDAY, MONDAY + 7 * DAY)
    own = {"series": [a_series().series_id], "job": "Resource Forecasting"}
    assert keep.by_cell(*week, **own) == {
        "limit:1": SUMS + SUMS,
        "limit:4": SUMS,
    }
    assert keep.by_cell(*week, series=["b", a_series().series_id])["limit:1"].days == keep.by_cell(*week)["limit:1"].days == 3
    assert keep.by_cell(*week, projects=["ml"]) == {"limit:1": SUMS}
    assert keep.by_cell(*week, projects=[]) == {}
    assert keep.by_cell(MONDAY + DAY, MONDAY + 2 * DAY) == {"limit:1": SUMS}
    assert (keep.dates(*week), keep.dates(MONDAY, MONDAY + 2 * DAY), keep.dates(MONDAY - DAY, MONDAY)) == (3, 2, 0)
    keep.save([replace(an_outlook_score(), sums=ClaimSums())])  # it became known to be bad
    assert keep.by_cell(MONDAY, MONDAY + DAY) == {"limit:1": SUMS}
    keep.save([an_outlook_score(series_id="b", project="ml", sums=ClaimSums())])
    assert keep.dates(*week) == 2


def test_paths_know_whether_chances_have_held(store: Store) -> None:
    store.forecasts.save(a_forecast(paths=Paths.of([[1.0, 2.0, 3.0]], blocks=14)))
    (kept,) = store.forecasts.find()
    for lost_at in (None, MONDAY, None):
        verdict = Calibration(checked_at=MONDAY, days=120, error=0.2, lost_at=lost_at)
        store.calibrations.tell(verdict)
        assert store.calibrations.verdict() == verdict
        paths = store.forecasts.with_paths(kept).paths
        assert paths is not None
        assert paths.is_calibrated == (lost_at is None)


def test_paths_of_many_forecasts_are_read_at_once(store: Store) -> None:
    paths = Paths.of([[1.0, 2.0, 3.0]], blocks=14)
    store.forecasts.save(a_forecast(paths=paths))
    store.forecasts.save(a_forecast(queue="root.adhoc", paths=paths, job="other"))
    store.forecasts.save(a_forecast(queue="root.bare"))
    kept = store.forecasts.find()
    assert store.forecasts.all_with_paths(kept) == [store.forecasts.with_paths(each) for each in kept]
    assert [each.paths is None for each in store.forecasts.all_with_paths(kept)] == [False, True, False]
    assert store.forecasts.all_with_paths([replace(kept[0], job_id="older")])[0].paths is None
    assert store.forecasts.all_with_paths([]) == []
    store.calibrations.tell(Calibration(checked_at=MONDAY, days=120, error=0.2, lost_at=MONDAY))
    assert [each.paths.is_calibrated for each in store.forecasts.all_with_paths(kept) if each.paths] == [False, False]
