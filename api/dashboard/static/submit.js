// The form of a new job: what is written in it becomes the request's document; what is wrong with that is told beside its field.

import { call, line } from "./page.js";

const form = document.getElementById("submit");
const message = document.getElementById("message");
const auto = document.getElementById("auto");

const texts = (value) => value.split(",").map((part) => part.trim()).filter(Boolean);
const asNumber = (value) => (value.trim() === "" || Number.isNaN(Number(value)) ? value : Number(value));

// How what is typed becomes a value of the document; what is not a number stays a text, so that the service says what it accepts.
const KINDS = {
  text: (value) => value,
  number: asNumber,
  "number or text": asNumber,
  list: texts,
  "one or several": (value) => (value.includes(",") ? texts(value) : value),
  json: (value) => {
    try {
      return JSON.parse(value);
    } catch {
      return value;
    }
  },
  "list or text": (value) => (value.includes(",") || /^\d{4}-/.test(value) ? texts(value) : value),
  numbers: (value) => value.split(",").map((part) => (part.trim() ? asNumber(part) : null)),
  values: (value) => texts(value).map(asNumber),
  bool: (value) => ({ true: true, false: false })[value] ?? value,
  strs: texts,
  bools: (value) => texts(value).map((part) => ({ true: true, false: false })[part.toLowerCase()] ?? part),
};

function requestDocument() {
  const made = {};
  for (const input of form.querySelectorAll("[data-path]:enabled")) {
    const value = input.value.trim();
    if (!value) continue;
    const path = input.dataset.path.split(".");
    const last = path.pop();
    const place = path.reduce((inner, name) => (inner[name] ??= {}), made);
    place[last] = KINDS[input.dataset.kind](value);
  }
  const chosen = [...form.querySelectorAll("[name=model]:checked")].map((box) => box.value);
  made.model = auto.checked ? "auto" : chosen;
  return made;
}

/** Which fields there are depends on the kind of the connection that is chosen. */
function showPlaces() {
  for (const place of form.querySelectorAll("[data-role]")) {
    const kind = place.querySelector("option:checked")?.dataset.connection;
    for (const field of place.querySelectorAll("[data-connections]")) {
      field.hidden = !field.dataset.connections.split(" ").includes(kind);
      field.querySelector("input").disabled = field.hidden;
    }
  }
}

/** A model that is not tried has no grid. */
function showModels() {
  for (const model of form.querySelectorAll(".model")) {
    const box = model.querySelector("[name=model]");
    box.disabled = auto.checked;
    for (const input of model.querySelectorAll("[data-path]")) input.disabled = !auto.checked && !box.checked;
  }
}

function clear() {
  message.replaceChildren();
  for (const told of form.querySelectorAll(".error")) told.textContent = "";
  for (const input of form.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid");
}

/** Tell every problem beside its field, and those of no field above the buttons; the first wrong field gets the focus. */
function tell(problems) {
  const general = [], fields = new Map();
  for (const { loc, msg } of problems) {
    const path = loc.map(String);
    while (path.length && !document.getElementById(`${path.join(".")}-error`)) path.pop();
    if (!path.length) general.push(loc.length ? `${loc.join(".")}: ${msg}` : msg);
    else fields.set(path.join("."), [...(fields.get(path.join(".")) ?? []), msg]);
  }
  for (const [name, messages] of fields) mark(name, messages);
  note("bad", general.length ? general : [`${problems.length} ${problems.length === 1 ? "thing stands" : "things stand"} in its way`]);
  form.querySelector("[aria-invalid]")?.focus();
}

/** A list may have a hundred wrong items; the first says what is accepted. */
function mark(name, messages) {
  const more = messages.length > 1 ? ` (and ${messages.length - 1} more)` : "";
  document.getElementById(`${name}-error`).textContent = messages[0] + more;
  const input = document.getElementById(name);
  input?.setAttribute("aria-invalid", "true");
  for (let fold = input?.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
}

function note(kind, lines) {
  for (const text of lines) {
    const told = document.createElement("p");
    told.className = `notice ${kind}`;
    told.textContent = text;
    message.append(told);
  }
}

async function sending(button, work) {
  clear();
  button.disabled = true;
  try {
    await work();
  } catch (problem) {
    if (problem.errors) tell(problem.errors);
    else note("bad", [line(problem)]);
  } finally {
    button.disabled = false;
  }
}

/** When a schedule is half filled in, one job is not what was meant: the field that says so, if any. The time zone is always there. */
const ofASchedule = () => [...form.querySelectorAll("[data-schedule]")].find((input) => input.value.trim() && input.value !== input.defaultValue);

// What is empty, or belongs to another kind of connection, need not be in the address.
form.addEventListener("formdata", ({ formData }) => {
  for (const [name, value] of [...formData]) if (!String(value).trim()) formData.delete(name);
});

form.addEventListener("submit", (event) => {
  if ("plain" in (event.submitter?.dataset ?? {})) return;  // a look, which is a page
  event.preventDefault();
  sending(event.submitter, async () => {
    const input = ofASchedule();
    if (input) return tell([{ loc: ["schedule", input.dataset.schedule], msg: "nothing is started: add the schedule by its own button, or empty its fields to start one job" }]);
    const job = await call("POST", "/v1/jobs", requestDocument());
    location.assign(`/jobs/${job.job_id}`);
  });
});

document.getElementById("validate").addEventListener("click", (event) => sending(event.target, async () => {
  const found = await call("POST", "/v1/jobs/validate", requestDocument());
  if (found.valid) note("good", ["This job would run."]);
  else tell(found.problems);
  note("warn", found.warnings);
}));

/** What is wrong with a schedule's own fields stands beside these, what is wrong with its request beside the job's. */
const ofSchedule = ({ loc, msg }) => {
  const [first, ...rest] = loc;
  if (first === "request") return { loc: rest, msg };
  return { loc: document.getElementById(`schedule.${first}`) ? ["schedule", first] : loc, msg };
};

document.getElementById("add-schedule").addEventListener("click", (event) => sending(event.target, async () => {
  const made = { request: requestDocument() };
  for (const input of form.querySelectorAll("[data-schedule]")) {
    if (input.value.trim()) made[input.dataset.schedule] = input.value.trim();
  }
  try {
    await call("POST", "/v1/schedules", made);
  } catch (problem) {
    if (problem.errors) problem.errors = problem.errors.map(ofSchedule);
    throw problem;
  }
  location.assign("/schedules");
}));

const events = document.getElementById("events");

/** Events are written as JSON; those that are understood are listed, each with a button that takes it out. */
function knownEvents() {
  try {
    const known = JSON.parse(events.value || "[]");
    return Array.isArray(known) ? known : null;
  } catch {
    return null;  // being typed
  }
}

function listEvents() {
  const known = knownEvents() ?? [];
  document.getElementById("event-list").replaceChildren(...known.map((each, place) => {
    const item = document.createElement("li"), button = document.createElement("button");
    button.type = "button";
    button.className = "quiet";
    button.textContent = "Remove";
    button.setAttribute("aria-label", `Remove the event ${each.name ?? each.ical}`);
    button.addEventListener("click", () => writeEvents(known.toSpliced(place, 1)));
    item.append(each.ical ? `from ${each.ical} ` : `${each.name}: ${each.start} to ${each.end} `, button);
    return item;
  }));
}

function writeEvents(known) {
  events.value = known.length ? JSON.stringify(known) : "";
  listEvents();
}

document.getElementById("add-event").addEventListener("click", () => {
  const [name, start, end] = ["name", "start", "end"].map((part) => document.getElementById(`event-${part}`));
  const known = knownEvents(), told = document.getElementById("events-error");
  told.textContent = known === null ? "What is written here is no list of events; correct or empty it first." : "";
  if (!told.textContent && !(name.value.trim() && start.value)) told.textContent = "An event has a name and a first day.";
  if (told.textContent) return;
  writeEvents([...known, { name: name.value.trim(), start: start.value, end: end.value || start.value }]);
  for (const input of [name, start, end]) input.value = "";
});
events.addEventListener("input", listEvents);
listEvents();

/** A file is sent as it is, under a name that is accepted, and looked at then. */
document.getElementById("send")?.addEventListener("click", async (event) => {
  const [file] = document.getElementById("file").files;
  const told = document.getElementById("upload-error");
  told.textContent = file ? "" : "Choose a file first.";
  if (!file) return;
  event.target.disabled = true;
  try {
    const project = document.getElementById("project").value.trim();
    const name = `${file.name.replace(/\.csv$/i, "").replace(/[^A-Za-z0-9._-]+/g, "_").replace(/^[^A-Za-z0-9]+/, "").slice(0, 90) || "upload"}.csv`;
    const address = `/v1/uploads/${name}${project ? `?project=${encodeURIComponent(project)}` : ""}`;
    const kept = await send(address, file);
    const source = document.getElementById("data.source.name");
    source.value = "uploads";
    showPlaces();
    document.getElementById("data.source.path").value = kept.name;
    document.getElementById("project").value = kept.project;
    form.requestSubmit(form.querySelector("[name=look]"));
  } catch (problem) {
    told.textContent = line(problem);
  } finally {
    event.target.disabled = false;
  }
});

async function send(address, file) {
  let answer;
  try {
    answer = await fetch(address, { method: "PUT", headers: { Accept: "application/json", "HX-Request": "true", "Content-Type": "text/csv" }, body: file });
  } catch {
    throw { title: "Queuecast cannot be reached", detail: "Nothing was kept. Try again in a moment." };
  }
  const told = await answer.json();
  if (!answer.ok) throw told;
  return told;
}

form.addEventListener("change", () => { showPlaces(); showModels(); });
showPlaces();
showModels();
