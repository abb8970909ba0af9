// What a reader would stumble over: measured in the page, with everything unfolded.
(() => {
  document.querySelectorAll("details").forEach((node) => (node.open = true));
  const channels = (text) => {
    const parts = text.match(/[\d.]+/g).map(Number);
    return { rgb: parts.slice(0, 3), alpha: parts.length > 3 ? parts[3] : 1 };
  };
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  // The contrast of WCAG 2.2, 1.4.3.
  const contrast = (a, b) => {
    const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (high + 0.05) / (low + 0.05);
  };
  const behind = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const { rgb, alpha } = channels(getComputedStyle(at).backgroundColor);
      if (alpha === 1) return rgb;
    }
    return [255, 255, 255];
  };
  const scrolls = (node) => {
    for (let at = node; at; at = at.parentElement) {
      if (["auto", "scroll", "hidden"].includes(getComputedStyle(at).overflowX) && at !== document.body) return true;
    }
    return false;
  };
  const found = { faint: [], small: [], outside: [] };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let count = 0;
  while (texts.nextNode()) {
    const node = texts.currentNode.parentElement;
    const words = texts.currentNode.textContent.trim();
    const style = getComputedStyle(node);
    const box = node.getBoundingClientRect();
    if (!words || ["SCRIPT", "STYLE"].includes(node.tagName) || style.visibility === "hidden" || !box.width) continue;
    count += 1;
    const name = node.tagName.toLowerCase() + "." + node.className + " `" + words.slice(0, 40) + "`";
    const ratio = contrast(channels(style.color).rgb, behind(node));
    if (ratio < 4.5) found.faint.push(name + " " + ratio.toFixed(2));
    if (parseFloat(style.fontSize) < 11) found.small.push(name + " " + style.fontSize);
    if ((box.right > innerWidth + 1 || box.left < -1) && !scrolls(node)) found.outside.push(name);
  }
  return {
    count,
    inner: innerWidth,
    wide: document.documentElement.scrollWidth,
    dark: luminance(behind(document.body)) < 0.2,
    ...found,
  };
})();
