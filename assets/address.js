/* The address bar: every setting of the view on the screen that is not as it begins.
   explorer/app/address.py fills the fields from it, and says what is told here. */
"use strict";

(() => {
  const NO_UPDATE = () => window.dash_clientside.no_update;
  const LONGEST = 2000; // characters that mails, chats and forms let through

  /* The settings on a page's screen: those its views share, those of the view, and those around it. */
  let screens = {}; // by path, the settings that were written last
  let described = [];

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
    described = pages;
    screens[page.path] = screen;
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
  let lastWritten = {}; // by path

  function put(link) {
    lastWritten[window.location.pathname] = link;
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

  /* Open another address of the explorer in this page; false where there is no app in it yet.
     keep: its page stays and only its controls are set. push: Back leads to what is here now. */
  function open(link, { push = true, keep = isOfSameText(new URL(link, window.location.href)) } = {}) {
    const pages = document.querySelectorAll("main.page");
    if (!pages.length) return false;
    const before = window.location.pathname;
    if (push) window.history.pushState(null, "", link);
    else replace(link);
    const { pathname, search, href } = window.location;
    const set = window.dash_clientside.set_props;
    if (!keep) {
      wanted = null;
      lastWritten = {};
      screens = {};
      document.dispatchEvent(new Event("explorer:open"));
      for (const page of pages) set(page.id, { children: [] });
    }
    set("url", pathname === before ? { search, href } : { pathname, search, href });
    set("opened", { data: { keep, at: performance.now() } });
    return true;
  }

  /* Whether an address differs from the screen only in settings that the page can change in place. */
  function isOfSameText({ pathname, searchParams }) {
    const page = described.find((one) => one.path === pathname);
    const screen = screens[pathname];
    if (!screen || pathname !== window.location.pathname || searchParams.has("saved")) return false;
    return page.fixed.every((name) => {
      const begins = page.settings[name];
      return (searchParams.get(name) ?? String(begins)) === String(screen[name] ?? begins);
    });
  }

  /* Set the controls of a page, {id: {property: value}}, that have another value now. */
  function setFields(fields) {
    if (!fields) return NO_UPDATE();
    // Dash reports no change when the same fields come again, unless they were emptied.
    window.dash_clientside.set_props("new-fields", { data: null });
    for (const [id, properties] of Object.entries(fields)) {
      const now = window.dash_component_api.getLayout(id)?.props ?? {};
      for (const [name, value] of Object.entries(properties)) {
        if (JSON.stringify(now[name] ?? null) !== JSON.stringify(value)) {
          window.dash_clientside.set_props(id, { [name]: value });
        }
      }
    }
    return NO_UPDATE();
  }

  function follow(event) {
    const link = event.target.closest?.("a.opens-view");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    open(link.getAttribute("href"));
  }

  document.addEventListener("click", follow);

  /* Back and Forward: a page that shows just this address by now is only brought to the front. */
  window.addEventListener("popstate", () => {
    const { pathname, search } = window.location;
    if (search && lastWritten[pathname] !== pathname + search) open(pathname + search, { push: false });
  });

  window.openAddress = open;
  window.dash_clientside = Object.assign({}, window.dash_clientside, { address: { write, shorten, setFields } });
})();
