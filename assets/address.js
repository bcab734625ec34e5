/* The address bar: every setting of the view on the screen that is not as it begins.
   explorer/app/address.py fills the fields from it, and says what is told here. */
"use strict";

(() => {
  const NO_UPDATE = () => window.dash_clientside.no_update;
  const LONGEST = 2000; // characters that mails, chats and forms let through

  /* The settings on a page's screen: those its views share, those of the view, and those around it. */
  function screenOf(page, pages, values) {
    let at = 0;
    for (const one of pages) {
      const stores = Object.fromEntries(one.stores.map((name) => [name, values[at++]]));
      if (one !== page) continue;
      const { mode, around, selection, ...states } = stores;
      const state = one.modes.length ? states[mode] ?? (states[mode] === undefined ? selection : null) : {};
      if (!state || (one.around && !around)) return null;
      return { ...selection, ...state, ...around, ...(one.modes.length ? { mode } : {}) };
    }
    return {};
  }

  function write(theme, present, path, ...values) {
    const pages = values.pop();
    const given = new URLSearchParams(window.location.search);
    const page = pages.find((one) => one.path === `/${(path ?? "").split("/")[1] ?? ""}`) ?? pages[0];
    const screen = screenOf(page, pages, values);
    if (!screen) return NO_UPDATE();
    const told = new URLSearchParams();
    for (const [name, begins] of Object.entries(page.settings)) {
      const value = screen[name] ?? begins;
      if (String(value) !== String(begins)) told.set(name, value);
    }
    // A theme nobody chose is the reader's own; a chosen one is part of what is sent.
    if (window.localStorage.getItem("explorer-theme") || given.get("theme")) told.set("theme", theme);
    if (present) told.set("present", true);
    if (given.get("step")) told.set("step", given.get("step"));
    const query = told.toString().replaceAll("+", "%20");
    put(query ? `${path}?${query}` : path);
    return NO_UPDATE();
  }

  let wanted = null;

  function put(link) {
    if (link === wanted) return;
    const fitted = (wanted?.length ?? 0) <= LONGEST;
    const fits = link.length <= LONGEST;
    wanted = link;
    if (fits) replace(link);
    if (!fits || !fitted) window.dash_clientside.set_props("long-link", { data: fits ? null : link });
  }

  const replace = (link) => window.history.replaceState(window.history.state, "", link);

  /* A state too long for an address is named by the server; by now another may be seen. */
  function shorten(kept) {
    if (kept?.link === wanted) {
      const { pathname, searchParams } = new URL(kept.link, window.location.origin);
      const short = new URLSearchParams({ saved: kept.name });
      for (const name of ["theme", "present", "step"]) {
        if (searchParams.has(name)) short.set(name, searchParams.get(name));
      }
      replace(`${pathname}?${short}`);
    }
    return NO_UPDATE();
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, { address: { write, shorten } });
})();
