// Notes when the page can first be used: something that SELECTOR finds is there, enabled, and was painted.
(() => {
  const look = () => {
    if (window.vmsUsable === undefined && document.querySelector(SELECTOR)) {
      window.vmsUsable = null;
      requestAnimationFrame(() => requestAnimationFrame(() => { window.vmsUsable = performance.now(); }));
    }
  };
  new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true });
})();
