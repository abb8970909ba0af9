// The read-out under the pointer, and the window of a verdict on the charts. The page is complete without it.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const plots = document.querySelector(".plots");
  const out = document.querySelector(".readout");
  if (!plots || !out || !data.series.length) return;
  const names = ["2xx", "3xx", "4xx", "5xx", "broken"];
  let shown = -1;

  const on = (list, at) => list.filter(([, from, until]) => at >= from && at < until).map(([name]) => name);
  const faultsOn = (at) =>
    data.faults
      .filter(([, spans]) => spans.some(([from, until]) => at < until && at + data.step > from))
      .map(([name]) => name);
  const ms = (value) => {
    if (value == null) return "-";
    return value < 9.95 ? value.toFixed(1) : Math.round(value).toLocaleString("en");
  };
  const rate = (count) => (count / data.step).toLocaleString("en", { maximumFractionDigits: 1 }) + "/s";

  function show(index) {
    const second = data.series[index];
    if (!second) return;
    shown = index;
    const attempts = second.attempts.reduce((sum, n) => sum + n, 0);
    const classes = second.classes.map((n, i) => n && names[i] + " x " + n);
    const parts = [
      [second.at + " to " + (second.at + data.step) + " s", on(data.phases, second.at).join(", ")],
      ["offered", rate(second.offered)],
      ["whole and correct", rate(second.good)],
      ["median", ms(second["p50-ms"]) + " ms"],
      ["p99", ms(second["p99-ms"]) + " ms"],
      ["answers", classes.filter(Boolean).join(", ") || "none"],
      ["attempts", second.offered ? (attempts / second.offered).toFixed(2) + "x" : String(attempts)],
    ];
    if (data.regions.length > 1) {
      const counts = data.regions.map((name, i) => name + " " + (second.attempts[i] || 0));
      parts.push(["by region", counts.join(", ")]);
    }
    const faults = faultsOn(second.at);
    if (faults.length) parts.push(["on", faults.join(", ")]);
    out.replaceChildren(...parts.map(([name, value]) => {
      const item = document.createElement("span");
      const label = document.createElement("b");
      label.textContent = value;
      item.append(name + " ", label);
      return item;
    }));
    plots.style.setProperty("--x", Math.min(1, (second.at + data.step / 2) / data.end));
    plots.classList.add("hover");
  }

  plots.addEventListener("pointermove", (event) => {
    const box = plots.querySelector(".area-box").getBoundingClientRect();
    const at = ((event.clientX - box.left) / box.width) * data.end;
    const index = Math.floor((at - data.series[0].at) / data.step);
    if (at >= 0 && at <= data.end) show(Math.min(data.series.length - 1, index));
  });
  plots.addEventListener("pointerleave", () => plots.classList.remove("hover"));
  plots.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step) { event.preventDefault(); show(Math.max(0, Math.min(data.series.length - 1, shown + step))); }
  });
  plots.tabIndex = 0;
  out.hidden = false;
  out.textContent = "Point at a chart, or use the arrow keys, to read a second.";

  // A pointed-at window is marked while the pointer stays; one that was followed to the charts stays marked.
  let kept = null;
  const mark = (node) => {
    plots.classList.toggle("marked", !!node);
    if (!node) return;
    plots.style.setProperty("--from", node.dataset.from / data.end);
    plots.style.setProperty("--span", (node.dataset.until - node.dataset.from) / data.end);
  };
  for (const node of document.querySelectorAll("[data-from]")) {
    node.addEventListener("pointerenter", () => mark(node));
    node.addEventListener("pointerleave", () => mark(kept));
    for (const link of node.querySelectorAll(".when")) {
      link.addEventListener("click", () => mark((kept = node)));
    }
  }
  plots.addEventListener("click", () => mark((kept = null)));
})();
