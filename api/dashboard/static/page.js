// What several pages need: buttons that call the API, text to copy.

/** Call the API; resolves to its JSON, and rejects with a problem (RFC 9457), or as `signal` does where that gives up. */
export async function call(method, address, body, signal) {
  const headers = { Accept: "application/json", "HX-Request": "true" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(address, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), signal });
  } catch (problem) {
    if (signal?.aborted) throw problem;
    throw { title: "Queuecast cannot be reached", detail: "Nothing was changed. Try again in a moment." };
  }
  const told = answer.status === 204 ? {} : await answer.json();
  if (!answer.ok) throw told;
  return told;
}

/** A problem in one line: what it is, and what is known beside that. */
export function line(problem) {
  return problem.detail.startsWith(problem.title) ? problem.detail : `${problem.title}: ${problem.detail}`;
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(document.querySelector(button.dataset.copy).textContent);
  button.textContent = "Copied";
});

// <button data-call="POST" data-address="/v1/…" data-body='{…}' data-question="Really?" data-then="/jobs/…"> (or data-then-self: what was made)
document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-call]");
  if (!button || (button.dataset.question && !window.confirm(button.dataset.question))) return;
  await send(button, button, button.dataset.body ? JSON.parse(button.dataset.body) : undefined);
});

// what is folded is printed too, also by browsers whose style sheets cannot open it
addEventListener("beforeprint", () => {
  for (const fold of document.querySelectorAll("details:not([open])")) fold.open = fold.dataset.unfolded = true;
});
addEventListener("afterprint", () => {
  for (const fold of document.querySelectorAll("details[data-unfolded]")) {
    fold.open = false;
    delete fold.dataset.unfolded;
  }
});

// <form data-call="POST" data-address="/v1/…"> with a button: its fields are the body
document.addEventListener("submit", async (event) => {
  if (!event.target.dataset.call) return;
  event.preventDefault();
  await send(event.target, event.submitter, Object.fromEntries(new FormData(event.target)));
});

/** Carry out what an element asks for, and show the page anew, or the problem. */
async function send(element, button, body) {
  button.disabled = true;
  try {
    const told = await call(element.dataset.call, element.dataset.address, body);
    const made = "thenSelf" in element.dataset && told.links?.self.replace(/^\/v1/, "");  // the page of what was made
    const next = made || element.dataset.then;
    if (next) location.assign(next);
    else location.reload();  // its own address would be no new page where it ends in #…
  } catch (problem) {
    const place = document.getElementById("message");
    place.className = "notice bad";
    place.textContent = line(problem);
    button.disabled = false;
  }
}
