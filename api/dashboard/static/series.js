// A series as the API tells it → columns as uPlot wants them, and a table for people.

const MOST_ROWS = 1_000;

// Of a forecast with quantiles a fan, of an earlier one its bounds only.
const FAN = [["q0.95", "upper_bound"], ["q0.05", "lower_bound"], ["q0.75"], ["q0.25"]];

/** Whether a series tells quantiles of its forecast. */
export function isFan(series) {
  return series.peak_quantiles.levels.length > 0;
}

/** Times (seconds since 1970), actual, prediction, and the edges of its bands, upper and lower, the wide one first;
 *  null is a gap, undefined is drawn through. */
export function columns(series) {
  const points = series.points;
  const times = points.map((point) => Date.parse(point.timestamp) / 1000);
  const [actual, prediction] = ["actual", "prediction"].map((name) => points.map((point) => point[name]));
  const edges = FAN.slice(0, isFan(series) ? 4 : 2).map(([level, bound]) => points.map((point) => point.quantiles?.[level] ?? point[bound] ?? null));
  const first = prediction.findIndex((value) => value !== null);
  const last = actual.findLastIndex((value, index) => index < first && value !== null);
  if (last >= 0) { // the forecast begins where the actual values end: no hole between them
    for (const column of [prediction, ...edges]) {
      column[last] = actual[last];
      column.fill(undefined, last + 1, first);
    }
  }
  return [times, actual, prediction, ...edges];
}

/** Times, what was forecast before the day with its bounds, and the actual values that left them.
 *  Without such a forecast that of the series itself, whose lines are there already. */
export function issuedBefore(before, series) {
  const points = (before ?? series).points;
  const told = points.filter((point) => point.prediction !== null);
  const isOutside = ({ actual, lower_bound: low, upper_bound: high }) => actual !== null && (actual < low || actual > high);
  const outside = told.map((point) => (isOutside(point) ? point.actual : null));
  const lines = ["prediction", "upper_bound", "lower_bound"].map((name) => told.map((point) => (before ? point[name] : null)));
  return [told.map((point) => Date.parse(point.timestamp) / 1000), ...lines, outside];
}

/** A name from data, so that its letters turn nothing around it; shared/outgoing.py does the same. */
export function isolated(name) {
  const told = name.replace(/[\u202a-\u202e\u2066-\u2069]/g, "\ufffd");
  return /^[ -~]*$/.test(told) ? told : `\u2068${told}\u2069`;
}

/** Several queues on one axis. */
export function joined(tables) {
  return tables.length === 1 ? tables[0] : uPlot.join(tables);
}

// Columns of the table beside the start of a step.
const VALUES = [["Actual", "actual"], ["Prediction", "prediction"]];
const BOUNDS = [["Lower bound", "lower_bound"], ["Upper bound", "upper_bound"]];
const LEVELS = [["5 %", "q0.05"], ["50 %", "q0.5"], ["95 %", "q0.95"]];

/** What the table tells of a series: its quantiles instead of bounds that are two of them. */
function told(series) {
  const others = series.points.some((point) => point.quantiles && (point.lower_bound !== point.quantiles["q0.05"] || point.upper_bound !== point.quantiles["q0.95"]));
  if (!isFan(series)) return [...VALUES, ...BOUNDS];
  return [...VALUES, ...LEVELS, ...(others ? BOUNDS : [])];
}

/** The newest rows as a table. */
export function table(series, zone, digits) {
  const made = document.createElement("table");
  const when = new Intl.DateTimeFormat("en-GB", { timeZone: zone, weekday: "short", day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });
  const caption = made.createCaption();
  const rows = series.points.slice(-MOST_ROWS);
  caption.textContent = `${isolated(series.queue)}, ${series.metric}, times in ${zone}` +
    (rows.length < series.points.length ? `; the newest ${MOST_ROWS} of ${series.points.length} rows, the CSV has all` : "");
  const head = made.createTHead().insertRow();
  const columns = told(series);
  for (const name of ["Start", ...columns.map(([title]) => title)]) {
    const cell = document.createElement("th");
    cell.scope = "col";
    cell.textContent = name;
    head.append(cell);
  }
  const body = made.createTBody();
  for (const point of rows) {
    const row = body.insertRow();
    row.insertCell().textContent = when.format(Date.parse(point.timestamp));
    for (const [, name] of columns) row.insertCell().textContent = digits(point.quantiles?.[name] ?? point[name]);
  }
  return made;
}
