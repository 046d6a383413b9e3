"use strict";
(() => {
  const held = JSON.parse(document.getElementById("drawings").textContent);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const config = { displayModeBar: false, displaylogo: false, responsive: true, scrollZoom: false, doubleClick: false, showTips: false };
  const plots = [...document.querySelectorAll("[data-figure]")];
  const theme = () => held.templates[dark.matches ? "dark" : "light"];

  const draw = (plot) => {
    const { data, layout } = held.figures[plot.dataset.figure];
    return Plotly.newPlot(plot, data, { ...layout, template: theme() }, config);
  };
  const recolour = (template) => plots.forEach((plot) => Plotly.relayout(plot, { template }));

  const slide = (input) => {
    const plot = document.querySelector(`[data-figure="${input.dataset.slides}"]`);
    const { steps } = held.figures[input.dataset.slides];
    const show = () => {
      const { label, args } = steps[input.value - 1];
      document.getElementById(input.dataset.says).textContent = label;
      input.setAttribute("aria-valuetext", label);
      plot.style.height = `${args[1].height}px`;
      Plotly.update(plot, args[0], args[1]);
    };
    input.addEventListener("input", show);
  };

  const PAGE_PX = 680;
  const toPaper = () => plots.forEach((plot) => {
    const wide = held.figures[plot.dataset.figure].layout.width;
    plot.style.zoom = wide ? Math.min(1, PAGE_PX / wide) : 1;
    Plotly.relayout(plot, { template: held.templates.light, width: wide || PAGE_PX });
  });
  const toScreen = () => plots.forEach((plot) => {
    plot.style.zoom = 1;
    const { width, height } = held.figures[plot.dataset.figure].layout;
    Plotly.relayout(plot, { template: theme(), width: width || null, autosize: !width });
  });

  Promise.all(plots.map(draw)).then(() => {
    document.querySelectorAll("[data-slides]").forEach(slide);
    dark.addEventListener("change", () => recolour(theme()));
    addEventListener("beforeprint", toPaper);
    addEventListener("afterprint", toScreen);
    document.documentElement.dataset.drawn = "true";
  });
})();
