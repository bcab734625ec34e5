/* Lessons in the browser: the view beside the text, and the way from step to step.
   The callback graph is drawn in explorer/app/learn.py. */
"use strict";

(() => {
  const NO_UPDATE = () => window.dash_clientside.no_update;
  const FRAME = "learn-frame";
  const KEYS = { ArrowLeft: -1, ArrowRight: 1 };
  const REMOTE = { PageUp: -1, PageDown: 1 }; // what a presenter's remote control sends

  const root = document.documentElement;
  const frame = () => document.getElementById(FRAME);

  let shown = null; // the view of the step on the screen
  let at = null; // the step that was asked for last: its lesson's path, its number
  let opened = null; // the step whose address the frame was given

  /* The frame is sent on, not made anew: one app at a time, and none of it in the history. */
  function open(view, theme, present) {
    shown = view;
    at = view && { path: view.path, step: view.step };
    const wanted = view?.href ?? null;
    // A step opens its view anew, also where the step before has the same: it may be changed by now.
    const step = view && `${view.path} ${view.step} ${wanted}`;
    if (step !== opened) {
      opened = step;
      const look = `&theme=${theme}${present ? "&present=true" : ""}`;
      const app = frame().contentWindow;
      if (!wanted) app.location.replace("about:blank");
      else if (!app.openAddress?.(wanted + look, { push: false })) app.location.replace(wanted + look);
    }
    document.getElementById("learn-side").scrollTop = 0;
    return NO_UPDATE();
  }

  function move(by) {
    if (document.body.dataset.page !== "learn" || !shown || at.step + by < 1) return;
    // While a lesson is asked for, how long it is is not known; its first step is not its last.
    const leaves = at.path === shown.path && at.step + by > shown.steps;
    at = leaves ? { path: shown.next, step: 1 } : { path: at.path, step: at.step + by };
    const address = new URLSearchParams(window.location.search);
    if (leaves) address.delete("step");
    else address.set("step", at.step);
    const query = address.toString();
    window.dash_clientside.set_props("url", { pathname: at.path, search: query && `?${query}` });
  }

  function go() {
    move(window.dash_clientside.callback_context.triggered_id === "learn-next" ? 1 : -1);
    return NO_UPDATE();
  }

  // Put into the layout, the button asks once, unpressed.
  const togglePresent = (clicks, present) => (clicks ? !present : NO_UPDATE());

  /* The view follows without being opened again. */
  function tell(theme, present) {
    frame().contentWindow.postMessage({ theme, present }, window.location.origin);
    return NO_UPDATE();
  }

  const isTyping = (event) => (
    event.target.closest?.("input, textarea, [role=slider], [contenteditable]") ||
    event.ctrlKey || event.metaKey || event.altKey
  );

  const embedded = window.name === FRAME && window.parent !== window;
  root.toggleAttribute("data-embedded", embedded);

  document.addEventListener("keydown", (event) => {
    if (isTyping(event)) return;
    if (embedded) {
      // Here the arrows belong to the view; the rest is the lesson's.
      if (["p", "Escape"].includes(event.key) || event.key in REMOTE) {
        window.parent.postMessage({ key: event.key }, window.location.origin);
      }
    } else if (event.key in KEYS || (root.hasAttribute("data-present") && event.key in REMOTE)) {
      move(KEYS[event.key] ?? REMOTE[event.key]);
    }
  });

  window.addEventListener("message", (event) => {
    if (event.origin !== window.location.origin) return;
    if (embedded && event.source === window.parent) {
      for (const id of ["theme", "present"]) {
        // An app that is still being opened has both in its address.
        if (event.data && id in event.data) window.dash_clientside?.set_props?.(id, { data: event.data[id] });
      }
    } else if (event.source === frame()?.contentWindow && typeof event.data?.key === "string") {
      document.body.dispatchEvent(new KeyboardEvent("keydown", { key: event.data.key, bubbles: true }));
    }
  });

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    learn: { open, go, tell, togglePresent },
  });
})();
