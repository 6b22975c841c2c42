// Which part of the chart is looked at: kept in the address, and in the links of the page to itself.

const KEPT = ["tab", "from", "to"];

const written = (seconds) => new Date(Math.round(seconds) * 1000).toISOString().replace(".000Z", "Z");

/** Remember the tab and, where something else than its times is in sight, from when to when. */
export function remember(tab, zoomed) {
  const address = new URL(location.href);
  set(address.searchParams, tab, zoomed);
  history.replaceState(null, "", address);
  for (const link of document.querySelectorAll("main a[href]")) {
    const to = new URL(link.href);
    if (to.origin !== location.origin || to.pathname !== location.pathname || to.hash) continue;
    set(to.searchParams, tab, zoomed);
    link.href = to;
  }
  for (const form of document.querySelectorAll("main form[method=get]")) keep(form, address.searchParams);
}

function set(parameters, tab, zoomed) {
  const values = { tab, from: zoomed && written(zoomed.min), to: zoomed && written(zoomed.max) };
  for (const name of KEPT) {
    if (values[name]) parameters.set(name, values[name]);
    else parameters.delete(name);
  }
}

/** The same as hidden fields of a form, which sends what it has and nothing else. */
function keep(form, parameters) {
  for (const name of KEPT) {
    form.querySelector(`input[type=hidden][name=${name}]`)?.remove();
    if (!parameters.has(name)) continue;
    const field = document.createElement("input");
    [field.type, field.name, field.value] = ["hidden", name, parameters.get(name)];
    form.append(field);
  }
}
