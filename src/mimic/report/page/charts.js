"use strict";

// Draw every chart of the page, and let its controls set their parameters. Colours are CSS variables
// of the page, so dark mode and print need nothing here.
(() => {
  const { config, specifications } = JSON.parse(document.getElementById("charts").textContent);
  const places = [...document.querySelectorAll("[data-chart]")];
  const begun = new Set();
  const views = [];

  async function draw(place) {
    const spec = specifications[place.dataset.chart];
    const options = {
      actions: false,
      config,
      renderer: "svg",
      ast: true, // expressions are interpreted: the page forbids eval
      tooltip: { theme: "page" },
    };
    const { view } = await vegaEmbed(place, spec, options);
    views.push({ view, parameters: (spec.params ?? []).map((parameter) => parameter.name) });
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

  drawVisible();
})();
