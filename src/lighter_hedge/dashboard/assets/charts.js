// Small charts in SVG: nothing but lines, dots and words, drawn anew when something has changed.
"use strict";
const SVG = "http://www.w3.org/2000/svg";

function draw(parent, name, attributes, text) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  parent.append(node);
  return node;
}

function canvas(svg, left) {
  svg.replaceChildren();
  const width = Math.max(svg.clientWidth, 200), height = svg.clientHeight || 190;
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  return { left, top: 8, right: width - 8, bottom: height - 20 };
}

function clock(ms) {
  return new Date(ms).toLocaleTimeString([], { hour12: false });
}

function times(svg, box, from, to) {
  draw(svg, "text", { x: box.left, y: box.bottom + 15 }, clock(from));
  draw(svg, "text", { x: box.right, y: box.bottom + 15, "text-anchor": "end" }, clock(to));
}

// Positions of A and of B, and their sum, as steps. points: [at_ms, a, b].
function exposureChart(svg, points, now, size) {
  const box = canvas(svg, 62);
  if (!points.length) return;
  const from = Math.min(points[0][0], now - 30000);
  const most = Math.max(1, ...points.map((p) => Math.max(Math.abs(p[1]), Math.abs(p[2]))));
  const x = (ms) => box.left + ((box.right - box.left) * (ms - from)) / Math.max(1, now - from);
  const middle = (box.top + box.bottom) / 2, reach = (box.bottom - box.top) / 2 - 4;
  const y = (lots) => middle - (reach * lots) / most;
  for (const lots of [most, 0, -most]) {
    draw(svg, "line", { class: lots ? "grid" : "zero", x1: box.left, x2: box.right, y1: y(lots), y2: y(lots) });
    draw(svg, "text", { x: box.left - 6, y: y(lots) + 4, "text-anchor": "end" }, size(lots));
  }
  for (const [name, of] of [["a", (p) => p[1]], ["b", (p) => p[2]], ["net", (p) => p[1] + p[2]]]) {
    let path = "";
    for (const p of points) {
      const at = x(p[0]).toFixed(1), high = y(of(p)).toFixed(1);
      path += path ? `H${at}V${high}` : `M${at} ${high}`;
    }
    draw(svg, "path", { class: `line ${name}`, d: `${path}H${box.right}` });
  }
  times(svg, box, from, now);
}

// What all hedges have cost so far. points: [at_ms, millionths of a dollar].
function costChart(svg, points, now) {
  const box = canvas(svg, 62);
  if (!points.length) return;
  const from = points[0][0], most = Math.max(0, ...points.map((p) => p[1])), least = Math.min(0, ...points.map((p) => p[1]));
  const x = (ms) => box.left + ((box.right - box.left) * (ms - from)) / Math.max(1, now - from);
  const y = (cost) => box.bottom - ((box.bottom - box.top) * (cost - least)) / Math.max(1, most - least);
  for (const cost of new Set([most, 0, least])) {
    if (cost && Math.abs(y(cost) - y(0)) < 14) continue;
    draw(svg, "line", { class: cost ? "grid" : "zero", x1: box.left, x2: box.right, y1: y(cost), y2: y(cost) });
    draw(svg, "text", { x: box.left - 6, y: y(cost) + 4, "text-anchor": "end" }, (cost / 1e6).toFixed(4));
  }
  let path = "";
  for (const p of points) path += path ? `H${x(p[0]).toFixed(1)}V${y(p[1]).toFixed(1)}` : `M${x(p[0]).toFixed(1)} ${y(p[1]).toFixed(1)}`;
  draw(svg, "path", { class: "line net", d: `${path}H${box.right}` });
  times(svg, box, from, now);
}

// Latencies on a logarithmic scale, with p50 and p95. points: [at_ms, us, round].
function latencyChart(svg, points, p50, p95) {
  const box = canvas(svg, 62);
  if (!points.length) return;
  const us = points.map((p) => p[1]);
  const low = Math.pow(10, Math.floor(Math.log10(Math.max(50, Math.min(...us)))));
  const high = Math.pow(10, Math.ceil(Math.log10(Math.max(low * 10, ...us))));
  const from = points[0][0], to = Math.max(points[points.length - 1][0], from + 1000);
  const x = (ms) => box.left + ((box.right - box.left) * (ms - from)) / (to - from);
  const y = (v) => box.bottom - ((box.bottom - box.top) * Math.log(Math.max(v, low) / low)) / Math.log(high / low);
  for (let v = low; v <= high; v *= 10) {
    draw(svg, "line", { class: "grid", x1: box.left, x2: box.right, y1: y(v), y2: y(v) });
    draw(svg, "text", { x: box.left - 6, y: y(v) + 4, "text-anchor": "end" }, `${v / 1000} ms`);
  }
  for (const [name, v] of [["p50", p50], ["p95", p95]]) {
    draw(svg, "line", { class: "level", x1: box.left, x2: box.right, y1: y(v), y2: y(v) });
    draw(svg, "text", { x: box.right, y: y(v) - 3, "text-anchor": "end" }, name);
  }
  for (const p of points) {
    const dot = draw(svg, "circle", { class: "dot", cx: x(p[0]).toFixed(1), cy: y(p[1]).toFixed(1), r: 2.5 });
    draw(dot, "title", {}, `${p[2]}: ${(p[1] / 1000).toFixed(2)} ms`);
  }
  times(svg, box, from, to);
}
