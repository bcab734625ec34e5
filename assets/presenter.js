/* Presenter mode in the browser. The callback graph is drawn in explorer/app/presenter.py. */
"use strict";

(() => {
  const NO_UPDATE = () => window.dash_clientside.no_update;
  const root = document.documentElement;

  const read = (_defaults, search) => new URLSearchParams(search || "").get("present") === "true";

  function apply(present) {
    root.toggleAttribute("data-present", Boolean(present));
    root.removeAttribute("data-unfolded");
    return NO_UPDATE();
  }

  function unfold() {
    root.toggleAttribute("data-unfolded");
    return NO_UPDATE();
  }

  const toggle = (_button, _leave, present) => !present;

  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, [role=slider], [contenteditable]");
    // In a lesson's frame it is the lesson's page that presents (assets/learn.js).
    if ("embedded" in root.dataset || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const on = root.hasAttribute("data-present");
    if (event.key === "p" || (event.key === "Escape" && on)) {
      window.dash_clientside.set_props("present", { data: !on });
    }
  });

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    presenter: { read, apply, unfold, toggle },
  });
})();
