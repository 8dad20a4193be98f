// Puts figures to explore in the place of the drawn charts. Where anything fails, the drawings stay.
(async () => {
  "use strict";
  const packed = document.getElementById("plotly");
  const charts = [...document.querySelectorAll("figure[data-figure]")];
  if (!packed || !charts.length || !("DecompressionStream" in window)) return;

  const unpack = async (text) => {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).text();
  };

  // The policy of this page lets a script run only if it is the one whose SHA-256 it names.
  const run = (source) => {
    const script = document.createElement("script");
    script.textContent = source;
    document.head.append(script);
  };

  const font = () => {
    const { color, fontFamily } = getComputedStyle(document.body);
    return { color, family: fontFamily };
  };

  const draw = async (chart) => {
    const live = chart.querySelector(".live");
    const { data, layout } = JSON.parse(document.getElementById(chart.dataset.figure).textContent);
    live.hidden = false;
    chart.classList.add("is-live");
    try {
      const settings = { displayModeBar: false, responsive: true };
      await window.Plotly.newPlot(live, data, { ...layout, font: font(), dragmode: false }, settings);
    } catch {
      live.hidden = true;
      chart.classList.remove("is-live");
    }
  };

  run(await unpack(packed.textContent));
  if (!window.Plotly) return;

  const seen = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        seen.unobserve(target);
        draw(target);
      }
    },
    { rootMargin: "600px" },
  );
  charts.forEach((chart) => seen.observe(chart));

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    document.querySelectorAll(".is-live .live").forEach((live) => window.Plotly.relayout(live, { font: font() }));
  });
})();
