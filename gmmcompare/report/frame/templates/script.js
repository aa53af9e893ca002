"use strict";
(() => {
  // Meanings of terms on hover and focus; the link itself leads to the glossary.
  const box = document.getElementById("meaning");
  const hide = () => { box.hidden = true; };
  const show = (link) => {
    box.textContent = link.dataset.meaning;
    box.hidden = false;
    const at = link.getBoundingClientRect();
    const width = Math.min(340, document.documentElement.clientWidth - 24);
    box.style.width = `${width}px`;
    const left = Math.min(Math.max(12, at.left), document.documentElement.clientWidth - width - 12);
    const below = at.bottom + 8 + box.offsetHeight < window.innerHeight;
    box.style.left = `${left + window.scrollX}px`;
    box.style.top = `${(below ? at.bottom + 8 : at.top - 8 - box.offsetHeight) + window.scrollY}px`;
  };
  for (const link of document.querySelectorAll("a.term")) {
    link.setAttribute("aria-describedby", "meaning");
    for (const event of ["mouseenter", "focus"]) link.addEventListener(event, () => show(link));
    for (const event of ["mouseleave", "blur", "click"]) link.addEventListener(event, hide);
  }
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });

  // Everything folded is printed unfolded.
  let opened = [];
  window.addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    for (const fold of opened) fold.open = true;
  });
  window.addEventListener("afterprint", () => { for (const fold of opened) fold.open = false; });

  // A link to something folded away unfolds it.
  const unfold = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const fold = target && target.closest("details");
    if (fold) { fold.open = true; target.scrollIntoView(); }
  };
  window.addEventListener("hashchange", unfold);
  unfold();

  for (const button of document.querySelectorAll("button[data-copy]")) {
    button.addEventListener("click", async () => {
      const code = document.getElementById(button.dataset.copy);
      try {
        await navigator.clipboard.writeText(code.textContent);
      } catch {  // no permission: select it, so that a key press copies it
        const fold = code.closest("details");
        if (fold) fold.open = true;
        getSelection().selectAllChildren(code);
        button.textContent = document.execCommand("copy") ? "Copied" : "Press Ctrl+C";
        return;
      }
      button.textContent = "Copied";
    });
  }
})();
