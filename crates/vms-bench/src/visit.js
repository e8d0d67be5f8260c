// Notes when what one waits for can be used: something that a selector finds is there, enabled, and was painted.
window.vmsWatch = (selector) => {
  window.vmsUsable = null;
  window.vmsAsked = performance.now();
  let found = false;
  const look = () => {
    if (!found && document.querySelector(selector)) {
      found = true;
      watcher.disconnect();
      requestAnimationFrame(() => requestAnimationFrame(() => { window.vmsUsable = performance.now(); }));
    }
  };
  const watcher = new MutationObserver(look);
  watcher.observe(document, { subtree: true, childList: true, attributes: true });
  look();
};
