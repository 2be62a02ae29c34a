() => // what tests ask of a page: each function returns what is wrong with it, in words
{
  const words = (e) => `<${e.tagName.toLowerCase()} ${e.id || e.className}> ${(e.textContent || "").trim().slice(0, 40)}`;
  const shown = (e) => e.checkVisibility({ visibilityProperty: true }) && e.getClientRects().length > 0;
  const scrolls = (e) => {
    for (let p = e; p; p = p.parentElement) {
      if (["auto", "scroll"].includes(getComputedStyle(p).overflowX)) return true;
    }
    return false;
  };
  const channels = (text) => text.match(/[\d.]+/g).map(Number);
  const luminance = (rgb) => {
    const [r, g, b] = rgb.slice(0, 3).map((v) => {
      v /= 255;
      return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (e) => {
    for (let p = e; p; p = p.parentElement) {
      const colour = channels(getComputedStyle(p).backgroundColor);
      if (colour.length < 4 || colour[3] > 0.99) return colour;
    }
    return [255, 255, 255];
  };
  const all = () => [...document.body.querySelectorAll("*")].filter(shown);

  // Elements beyond the window's sides, or whose text is cut off, except in what scrolls.
  window.cut = () => {
    const width = document.documentElement.clientWidth;
    const found = document.documentElement.scrollWidth > width ? [`the page is ${document.documentElement.scrollWidth} wide`] : [];
    for (const e of all()) {
      const box = e.getBoundingClientRect();
      if (!scrolls(e) && (box.right > width + 0.5 || box.left < -0.5)) found.push(words(e));
      const hides = ["hidden", "clip"].includes(getComputedStyle(e).overflowX);
      if (hides && e.scrollWidth > e.clientWidth + 1) found.push("clips " + words(e));
    }
    return found;
  };

  // Text whose contrast is below WCAG 2's 4.5 (3 if it is large), with the ratio.
  window.faint = () => {
    const found = [];
    for (const e of all()) {
      if (e.closest("svg") || ![...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim())) continue;
      const style = getComputedStyle(e), a = luminance(channels(style.color)), b = luminance(behind(e));
      const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.6 && style.fontWeight >= 700);
      if (ratio < (large ? 3 : 4.5)) found.push(`${ratio.toFixed(2)} ${words(e)}`);
    }
    return found;
  };

  // What a screen reader cannot name.
  window.unnamed = () => {
    const found = [];
    const named = (e) => e.getAttribute("aria-label") || e.textContent.trim() || e.labels?.length;
    for (const e of document.querySelectorAll("img")) if (!e.alt) found.push(words(e));
    for (const e of document.querySelectorAll("a, button, input, select, summary, [tabindex], [role=img]")) {
      if (e.tagName === "INPUT" || e.tagName === "SELECT" ? !(e.getAttribute("aria-label") || e.labels.length) : !named(e)) found.push(words(e));
    }
    for (const e of document.querySelectorAll("th")) if (!e.scope) found.push("no scope: " + words(e));
    let level = 0;
    for (const e of document.querySelectorAll("h1, h2, h3, h4")) {
      const next = Number(e.tagName[1]);
      if (next > level + 1) found.push("level skipped: " + words(e));
      level = next;
    }
    const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
    for (const id of new Set(ids)) if (ids.filter((other) => other === id).length > 1) found.push("id twice: " + id);
    for (const e of document.querySelectorAll("a[href^='#']")) {
      if (!document.getElementById(e.getAttribute("href").slice(1))) found.push("leads nowhere: " + words(e));
    }
    if (document.documentElement.lang !== "en" || !document.title) found.push("language or title");
    if (document.querySelectorAll("main").length !== 1) found.push("main");
    return found;
  };

  // Everything that a mouse can reach: links, controls, and what scrolls sideways.
  window.reachable = () =>
    all().filter((e) => {
      if (e.matches("input[type=radio]:not(:checked)")) return false; // arrows move within a group
      if (e.matches("a[href], button, input, select, summary")) return true;
      return ["auto", "scroll"].includes(getComputedStyle(e).overflowX) && e.scrollWidth > e.clientWidth + 1;
    });
}
