"use strict";

// Draw every chart of the page, and let its controls set their parameters. Colours are CSS variables
// of the page, so dark mode and print need nothing here.
(async () => {
  const packed = Uint8Array.from(atob(document.getElementById("charts").textContent), (sign) => sign.charCodeAt(0));
  const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const { config, study, specifications } = await new Response(unpacked).json();
  const places = [...document.querySelectorAll("[data-chart]")];
  const begun = new Set();
  const views = [];

  const options = {
    actions: false,
    config,
    renderer: "svg",
    ast: true, // expressions are interpreted: the page forbids eval
    tooltip: { theme: "page" },
  };

  // The page has chips and captions instead.
  function withoutLegend(layer) {
    const { color } = layer.encoding;
    return { ...layer, encoding: { ...layer.encoding, ...(color && { color: { ...color, legend: null } }) } };
  }

  async function draw(place) {
    const spec = specifications[place.dataset.chart];
    const { view } = await vegaEmbed(place, { ...spec, layer: spec.layer.map(withoutLegend) }, options);
    const parameters = (spec.params ?? []).map((parameter) => parameter.name);
    views.push({ place, view, name: place.dataset.chart, parameters });
  }

  // As the reader sees it now, with its legend, in colours that other programs know.
  async function svg(name) {
    const style = getComputedStyle(document.body);
    const { place, view } = views.find((drawn) => drawn.name === name);
    const spec = {
      ...specifications[name],
      width: place.clientWidth,
      params: specifications[name].params.map((parameter) => ({ ...parameter, value: view.signal(parameter.name) })),
    };
    const drawn = await vegaEmbed(document.createElement("div"), spec, options);
    const picture = await drawn.view.toSVG();
    drawn.finalize();
    return picture.replace(/var\((--[\w-]+)\)/g, (_, variable) => style.getPropertyValue(variable).trim());
  }

  function csv(name) {
    const { datasets, usermeta } = specifications[name];
    const rows = datasets[usermeta.table];
    const columns = [...new Set(rows.flatMap(Object.keys))];
    const cell = (value) => (/[",\n]/.test(value ?? "") ? `"${String(value).replaceAll('"', '""')}"` : (value ?? ""));
    const header = columns.map((column) => usermeta.columns[column] ?? column);
    return [header, ...rows.map((row) => columns.map((column) => row[column]))]
      .map((line) => `${line.map(cell).join(",")}\n`)
      .join("");
  }

  async function save({ save: ending, of: name }) {
    const makers = { svg, csv, bib: () => document.getElementById(name).textContent };
    const types = { svg: "image/svg+xml", csv: "text/csv", bib: "text/plain" };
    const content = await makers[ending](name);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([content], { type: types[ending] }));
    link.download = `${study}-${name}.${ending}`;
    link.click();
    URL.revokeObjectURL(link.href);
  }

  function set(name, value) {
    for (const { view, parameters } of views) {
      if (parameters.includes(name)) view.signal(name, value).runAsync();
    }
  }

  function pick(chip) {
    const picked = chip.getAttribute("aria-pressed") === "true" ? "" : chip.dataset.value;
    for (const other of document.querySelectorAll(".chip")) {
      other.setAttribute("aria-pressed", String(other.dataset.value === picked));
    }
    set("isolated", picked);
  }

  document.addEventListener("click", (event) => {
    const chip = event.target.closest(".chip");
    if (chip) pick(chip);
    const button = event.target.closest("[data-save]");
    if (button) save(button.dataset);
  });
  document.addEventListener("change", ({ target }) => {
    if (target.dataset.shows) show(target.dataset.shows, target.value);
    if (target.dataset.signal) set(target.dataset.signal, target.type === "checkbox" ? target.checked : target.value);
  });

  // On paper nothing can be opened.
  let opened = [];
  window.addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details.print:not([open])")];
    for (const details of opened) details.open = true;
  });
  window.addEventListener("afterprint", () => {
    for (const details of opened) details.open = false;
  });

  // Charts of a hidden panel wait until it shows: without a width they can't be laid out.
  async function drawVisible() {
    const waiting = places.filter((place) => !begun.has(place) && !place.closest("[hidden]"));
    for (const place of waiting) begun.add(place);
    await Promise.all(waiting.map(draw));
    document.documentElement.dataset.charts = "drawn";
  }

  function show(group, name) {
    for (const panel of document.querySelectorAll(`[data-panel="${group}"]`)) {
      panel.hidden = panel.dataset.name !== name;
    }
    drawVisible();
  }

  // A link into what is folded or hidden opens it.
  function open() {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    for (let details = target.closest("details"); details; details = details.parentElement.closest("details")) {
      details.open = true;
    }
    const { panel, name } = target.dataset;
    if (panel) {
      for (const choice of document.querySelectorAll(`[data-shows="${panel}"]`)) choice.value = name;
      show(panel, name);
    }
    target.scrollIntoView();
  }
  window.addEventListener("hashchange", open);

  drawVisible().then(() => location.hash && open());
})();
