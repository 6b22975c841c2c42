// Times as the page's time zone has them.

export const DAY = 86_400;
export const zone = document.body.dataset.zone;

const inZone = (parts) => new Intl.DateTimeFormat("en-GB", { timeZone: zone, ...parts });
const [dayFormat, hourFormat, monthFormat, momentFormat, weekdayFormat, clockFormat] = [
  { weekday: "short", day: "numeric", month: "short" },
  { hour: "2-digit", minute: "2-digit" },
  { month: "short", year: "numeric" },
  { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" },
  { weekday: "short" },
  { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" },
].map(inZone);

/** A moment, from seconds since 1970: Tue 1 Dec, 09:00. */
export function moment(seconds) {
  return momentFormat.format(seconds * 1000);
}

/** Seconds since 1970 of the midnight that is `days` after the one at `first`; where clocks change, a day has 23 hours or 25. */
export function midnightAfter(first, days) {
  let found = first + days * DAY;
  for (let round = 0; round < 2; round += 1) {
    const [hours, minutes, seconds] = clockFormat.format(found * 1000).split(":").map(Number);
    const past = hours * 3600 + minutes * 60 + seconds;
    found += past > DAY / 2 ? DAY - past : -past;
  }
  return found;
}

/** The weekends that lie between two moments, as [start, end) each; `first` is any midnight. */
export function weekends(first, from, to) {
  const found = [];
  for (let day = Math.floor((from - first) / DAY) - 2; ; day += 1) {
    const start = midnightAfter(first, day);
    if (start >= to) return found;
    if (weekdayFormat.format((start + DAY / 2) * 1000) === "Sat") found.push([start, midnightAfter(first, day + 2)]);
  }
}

/** What stands at the ticks of the time axis: hours, with the day where one begins; days; or months. */
export function ticks(_plot, splits, _axis, _space, increment) {
  if (increment >= 28 * DAY) return splits.map((seconds) => monthFormat.format(seconds * 1000));
  if (increment >= DAY) return splits.map((seconds) => dayFormat.format(seconds * 1000).replace(" ", "\n"));
  return splits.map((seconds) => {
    const hour = hourFormat.format(seconds * 1000);
    return hour === "00:00" ? `${hour}\n${dayFormat.format(seconds * 1000)}` : hour;
  });
}
