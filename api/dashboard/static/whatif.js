// What if: two sliders with their number fields ask the API, and what it says is shown beside what is now.

import { call, line } from "./page.js";

const PAUSE = 150; // milliseconds without another change, before it is asked for
const place = document.getElementById("whatif");
const [sentence, problem, notes, table] = ["sentence", "problem", "notes", "numbers"].map((name) => document.getElementById(`whatif-${name}`));
const fields = place.querySelectorAll("input[name]");
const hint = sentence.textContent;
let waiting, asked;

const whole = (text) => text.replaceAll(/ (?=%)|(?<=[<>]) /g, "\u202f"); // `< 5 %` stays in one line
const short = (value) => value.toLocaleString("en", { maximumFractionDigits: Math.abs(value) < 9.95 ? 1 : 0 });
const hours = (value) => `${value.toFixed(1)} h`;
const share = (value) => `${(100 * value).toFixed(1)} %`;
const amount = (value) => `${short(value * Number(place.dataset.scale))} ${place.dataset.unit}`.trim();

const clock = new Intl.DateTimeFormat("en-GB", { timeZone: document.body.dataset.zone, weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const moment = (text) => (text === null ? null : clock.format(Date.parse(text)));

/** Rows of the table: what they are called, and how their value is found in an outlook and written. */
function rows(work) {
  const inWork = (value) => `${short(value)} ${work}`;
  const excess = (level, name, text) => (side) => side.whole[level] && text(side.whole[level][name]);
  const known = (value, text) => (value === null ? null : text(value));
  return [
    ["Chance to be above the guarantee", excess("borrowing", "likelihood", String)],
    ["Hours above it", excess("borrowing", "hours", hours)],
    ["First above it", excess("borrowing", "first_at", moment)],
    ["Not above it before", excess("borrowing", "not_before", moment)],
    ["Missing above it", excess("borrowing", "shortfall", inWork)],
    ["Idle below it", excess("borrowing", "slack", inWork)],
    ["Chance to be at the ceiling", excess("waiting", "likelihood", String)],
    ["Hours at the ceiling", excess("waiting", "hours", hours)],
    ["First at the ceiling", excess("waiting", "first_at", moment)],
    ["Lent in all: above the guarantee, below the ceiling", (side) => known(side.whole.lent, (value) => `${inWork(value)}${side.whole.lent_share === null ? "" : `, ${share(side.whole.lent_share)} of all`}`)],
    ["Peak, below it 19 times of 20", (side) => amount(side.whole.peak["q0.95"])],
  ];
}

/** What a day has: the chances above the guarantee and at the ceiling, as far as these are known. */
function chances(day) {
  const told = [["above", day.borrowing], ["at the ceiling", day.waiting]].filter(([, found]) => found);
  return told.map(([name, found]) => `${found.likelihood} ${name}`).join(", ") || null;
}

function cell(row, name, text) {
  const made = document.createElement(name);
  made.textContent = whole(text);
  row.append(made);
  return made;
}

function show(answer) {
  sentence.textContent = answer.sentence ? whole(answer.sentence) : answer.reason ? `Nothing can be told: ${answer.reason}.` : hint;
  notes.replaceChildren(...answer.notes.map((text) => {
    const note = document.createElement("p");
    note.className = "notice warn";
    note.textContent = `Note: ${text}.`;
    return note;
  }));
  table.hidden = !answer.now;
  if (!answer.now) return;
  const body = table.tBodies[0];
  body.replaceChildren();
  const then = answer.then ?? answer.now;
  for (const [name, value] of rows(answer.work_unit)) add(body, name, value(answer.now), value(then));
  const told = (side) => (side.counted_on === "siblings" ? `${short(side.exposed.amount)} ${answer.work_unit} in ${hours(side.exposed.hours)}` : `not counted: ${side.reason}`);
  const idle = (side) => (side?.exposed ? told(side) : null);
  add(body, "Of it while siblings leave theirs idle, which preemption may take", idle(answer.exposure.now), idle(answer.exposure.then ?? answer.exposure.now));
  answer.now.days.forEach((day, index) => add(body, `24 hours from ${moment(day.start_at)}`, chances(day), chances(then.days[index])));
}

function add(body, name, now, then) {
  if (now === null && then === null) return;
  const row = body.insertRow();
  cell(row, "th", name).scope = "row";
  cell(row, "td", now ?? "–");
  cell(row, "td", then ?? "–").className = now === then ? "muted" : "changed";
}

/** The address that asks for what the fields say; what is as now is not asked for. */
function address() {
  const found = new URL(place.dataset.address, location.origin);
  for (const { name, value } of fields) {
    const isAsNow = name === "scale" ? value === "1" : Number(value) === Number(place.dataset.present || NaN) || (!place.dataset.present && !place.dataset.moved);
    if (isAsNow) continue;
    found.searchParams.set(name, name === "scale" ? value : String(Number((Number(value) / Number(place.dataset.scale)).toFixed(9))));
  }
  return found;
}

async function ask() {
  asked?.abort();
  const own = asked = new AbortController();
  const wrong = [...fields].find((field) => !field.checkValidity() || field.value === "");
  for (const field of fields) field.toggleAttribute("aria-invalid", false);
  problem.textContent = "";
  if (wrong) {
    wrong.setAttribute("aria-invalid", "true");
    problem.textContent = wrong.validationMessage || "A number is needed.";
    return;
  }
  try {
    const answer = await call("GET", address(), undefined, own.signal);
    if (!own.signal.aborted) show(answer);
  } catch (refusal) {
    if (!own.signal.aborted) problem.textContent = line(refusal);
  }
}

/** Tells the chart which capacity is tried, in the unit of the forecast; null = none. */
function drawn(capacity) {
  document.dispatchEvent(new CustomEvent("whatif", { detail: capacity }));
}

function changed(input) {
  const other = input.dataset.of ? document.getElementById(input.dataset.of) : document.getElementById(`${input.id}-slider`);
  other.value = input.value;
  if (input.id.startsWith("whatif-capacity")) {
    place.dataset.moved = "yes";
    drawn(Number(input.value) / Number(place.dataset.scale));
  }
  clearTimeout(waiting);
  waiting = setTimeout(ask, PAUSE);
}

place.addEventListener("input", (event) => changed(event.target));
document.getElementById("whatif-reset").addEventListener("click", () => {
  for (const input of place.querySelectorAll("input")) input.value = input.defaultValue;
  delete place.dataset.moved;
  drawn(null);
  clearTimeout(waiting);
  ask();
});
ask();
