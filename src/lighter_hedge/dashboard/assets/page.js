// Shows what the stream tells; asks for what a person confirms. Values are written as text, never as markup.
"use strict";
const WORDS = JSON.parse(document.getElementById("texts").textContent);
const LEVELS = ["debug", "info", "warning", "error"];
const EVENTS_SHOWN = 300, POSITIONS_KEPT = 1500, LATENCIES_KEPT = 500, ROUNDS_KEPT = 100;
const state = { events: [], positions: [], latencies: [], costs: [], rounds: [] };
let heardAt = 0, offset = 0, drawn = 0;

const by = (id) => document.getElementById(id);
function say(text, values) {
  let said = WORDS[text] ?? text;
  for (const [name, value] of Object.entries(values ?? {})) said = said.replace(`{${name}}`, value);
  return said;
}
function put(id, text) {
  const node = typeof id === "string" ? by(id) : id;
  if (node.textContent !== text) node.textContent = text;
}
function make(name, text, kind) {
  const node = document.createElement(name);
  if (text !== undefined) node.textContent = text;
  if (kind) node.className = kind;
  return node;
}
function age(ms) {
  const s = Math.max(0, ms) / 1000;
  if (s < 10) return `${s.toFixed(1)} s`;
  if (s < 120) return `${Math.round(s)} s`;
  if (s < 7200) return `${Math.round(s / 60)} min`;
  return `${(s / 3600).toFixed(1)} h`;
}
const money = (text) => Number(text).toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: 2, signDisplay: "negative" });
const now = () => Date.now() + offset;
const size = (lots) => {
  const decimals = state.badge?.size_decimals;
  return decimals === null || decimals === undefined ? String(lots) : (lots / 10 ** decimals).toFixed(decimals);
};

// --- what comes in

function take(update, whole) {
  offset = update.server_ms - Date.now();
  heardAt = Date.now();
  if (whole) Object.assign(state, { events: [], positions: [], latencies: [], costs: [], rounds: [] });
  for (const [name, part] of Object.entries(update)) {
    if (name === "events") state.events = state.events.concat(part).slice(-EVENTS_SHOWN);
    else if (name === "positions") state.positions = state.positions.concat(part).slice(-POSITIONS_KEPT);
    else if (name === "latencies") state.latencies = state.latencies.concat(part).slice(-LATENCIES_KEPT);
    else if (name === "costs") state.costs = state.costs.concat(part).slice(-POSITIONS_KEPT);
    else if (name === "rounds") {
      const told = new Set(part.map((round) => round.number));
      state.rounds = state.rounds.filter((round) => !told.has(round.number)).concat(part).slice(-ROUNDS_KEPT);
    }
    else state[name] = part;
  }
  const came = (name) => name in update;
  if (came("badge")) showBadge();
  if (came("badge") || came("accounts")) showAccounts();
  if (came("hedge")) showHedge();
  if (came("totals")) showTotals();
  if (came("rounds") || whole) showRounds(whole ? state.rounds : update.rounds, whole);
  if (came("commands")) showAsked();
  if (came("events") || whole) showEvents(whole ? state.events : update.events, whole);
  tick();
  if (came("positions") || came("latencies") || came("costs") || whole) showCharts();
}

function connect() {
  const stream = new EventSource("/api/stream");
  stream.addEventListener("full", (event) => take(JSON.parse(event.data), true));
  stream.addEventListener("delta", (event) => take(JSON.parse(event.data), false));
  stream.onerror = () => {
    if (stream.readyState === EventSource.CLOSED) setTimeout(connect, 2000);
  };
}

// --- what is shown

function showBadge() {
  const badge = state.badge;
  document.title = `${badge.mode === "running" ? "" : `${say(badge.mode)} · `}${badge.desk}`;
  put("desk", badge.desk);
  put("version", badge.version);
  put("network", badge.network === "mainnet" ? say("live") : say(badge.network));
  by("network").className = `badge ${badge.network}`;
  put("mode", say(badge.mode));
  by("mode").className = `badge ${badge.mode}`;
  document.body.classList.toggle("live", badge.network === "mainnet");
  by("network").title = badge.network === "mainnet" ? say("Live desk: real money") : "";
  put("waiting", badge.waiting.length && badge.mode === "running" ? say("waits: {why}", { why: badge.waiting.join("; ") }) : "");
  by("read-only").hidden = !badge.read_only;
  for (const button of by("buttons").children) button.disabled = badge.read_only;
}

function showAccounts() {
  const rows = state.accounts.map((one) => {
    const row = make("tr");
    const cell = (text, kind) => row.append(make("td", text ?? "–", kind));
    row.append(Object.assign(make("th", `${one.letter} ${one.name}`), { scope: "row", title: String(one.index) }));
    cell(one.alive ? (one.ready ? say("ready") : say("recovering")) : say("stopped"));
    cell(one.position, "n");
    cell(one.entry, "n");
    cell(one.pnl === null ? null : money(one.pnl), "n");
    cell(one.collateral === null ? null : `${money(one.collateral)}${one.quotes === null ? "" : ` (${say("covers {n} quotes", { n: one.quotes })})`}`, "n");
    cell(String(one.open_orders), "n");
    const said = [one.letter === "B" ? (one.armed ? `${say("armed")} ${one.armed}` : say("not armed")) : ""];
    if (one.unresolved) said.push(`${say("Unresolved")} ${one.unresolved}`);
    if (one.said) said.push(one.said);
    cell(said.filter(Boolean).join("; "));
    return row;
  });
  by("accounts").replaceChildren(...rows);
}

function showTotals() {
  const totals = state.totals;
  put("t-rounds", String(totals.rounds));
  put("t-failed", String(totals.failed));
  put("t-volume", `${money(totals.volume_usd)} USD`);
  put("t-cost", `${totals.cost_usd} USD`);
  put("t-rate", totals.cost_per_10000 === null ? "–" : `${totals.cost_per_10000} USD`);
  put("t-since", totals.since_ms ? say("since {time}, before fees and funding", { time: clock(totals.since_ms) }) : "");
}

const STEPS = { quote: "quote", fill: "filled", sent: "hedge sent", hedged: "hedge filled", verified: "verified flat" };
function showRound() {
  const round = state.round;
  by("no-round").hidden = Boolean(round);
  if (!round) return by("steps").replaceChildren();
  const leg = `${say(round.leg)}: ${say(round.side)} ${round.size} @ ${round.price}`;
  put("round-title", `${say("round {n}", { n: round.number })}, ${leg}, ${say("attempt {n}", { n: round.attempt })}`);
  const list = by("steps");
  while (list.children.length < round.steps.length) {
    const item = make("li");
    item.append(make("b"), make("span"), make("span"));
    list.append(item);
  }
  round.steps.forEach((step, index) => {
    const item = list.children[index];
    item.className = step.state;
    put(item.children[0], say(STEPS[step.name]));
    const end = step.ended_ms ?? (step.state === "now" ? now() : null);
    put(item.children[1], step.began_ms !== null && end !== null ? (end - step.began_ms < 1000 ? `${end - step.began_ms} ms` : age(end - step.began_ms)) : "");
    put(item.children[2], step.state === "failed" ? say("failed") : step.text);
  });
}

function showRounds(rounds, anew) {
  const body = by("rounds");
  if (anew) body.replaceChildren();
  for (const round of rounds ?? []) {
    const at = Object.fromEntries(round.steps.map((step) => [step.name, step]));
    const failed = round.steps.some((step) => step.state === "failed");
    const row = make("tr", undefined, failed ? "failed" : "");
    const span = (from, to) => (from === null || to === null ? "–" : to - from < 1000 ? `${to - from} ms` : age(to - from));
    row.append(Object.assign(make("th", `${round.number} ${say(round.leg)}`), { scope: "row" }));
    row.append(make("td", `${say(round.side)} ${round.size} @ ${round.price}`));
    row.append(make("td", span(at.quote.began_ms, at.fill.began_ms), "n"));
    row.append(make("td", span(at.fill.began_ms, at.sent.ended_ms), "n"));
    row.append(make("td", span(at.fill.began_ms, at.hedged.ended_ms), "n"));
    row.append(make("td", failed ? say("failed") : at.verified.state === "done" ? say("verified flat") : say("hedged")));
    row.dataset.number = round.number;
    const known = body.querySelector(`[data-number="${round.number}"]`);
    if (known) known.replaceWith(row);
    else body.prepend(row);
  }
  while (body.children.length > ROUNDS_KEPT) body.lastChild.remove();
}

const STAGES = { a_filled: "fill came in", a_told: "fill told", b_heard: "news at B", b_decided: "hedge decided", b_leaving: "hedge leaves", b_answered: "venue answered", b_filled: "hedge filled" };
function showHedge() {
  const hedge = state.hedge;
  if (!hedge) return;
  put("hedge-title", `${say("round {n}", { n: hedge.round })}, ${hedge.size}${hedge.armed ? `, ${say("armed")}` : ""}`);
  const most = Math.max(1, ...hedge.stages.map((stage) => stage.us));
  by("stages").replaceChildren(...hedge.stages.map((stage) => {
    const row = make("div", undefined, "stage");
    const bar = document.createElementNS(SVG, "svg");
    bar.setAttribute("viewBox", "0 0 100 8");
    bar.setAttribute("preserveAspectRatio", "none");
    bar.setAttribute("aria-hidden", "true");
    draw(bar, "rect", { class: "rail", width: 100, height: 8 });
    draw(bar, "rect", { class: "bar", width: (100 * stage.us) / most, height: 8 });
    row.append(make("span", say(STAGES[stage.name] ?? stage.name)), bar, make("span", `+${(stage.us / 1000).toFixed(2)} ms`));
    return row;
  }));
  const slip = hedge.slippage_bps === null ? "" : `; ${say("slippage {bps} bps", { bps: hedge.slippage_bps })}`;
  put("hedge-sub", `p50 ${(hedge.p50_us / 1000).toFixed(2)} ms, p95 ${(hedge.p95_us / 1000).toFixed(2)} ms, ${say("last {n} hedges", { n: hedge.count })}${slip}`);
}

function showAsked() {
  const rows = [...state.commands].reverse().map((one) => {
    const told = { sending: say("sending"), failed: `${say("failed")}: ${one.text}` };
    let text = told[one.state];
    if (!text) text = one.acked.length === 2 ? say("acknowledged by A and B") : one.acked.length ? say("acknowledged by {who}", { who: one.acked[0] }) : say("sent, waiting for A and B");
    const verb = say(one.verb[0].toUpperCase() + one.verb.slice(1));
    return make("li", `${clock(one.at_ms)} ${verb}: ${text}`, one.acked.length === 2 ? "acknowledged" : one.state);
  });
  by("asked").replaceChildren(...rows);
}

function wanted(event) {
  const source = document.querySelector(`[data-source="${CSS.escape(event.source)}"]`);
  return LEVELS.indexOf(event.level) >= LEVELS.indexOf(by("level").value) && (source?.checked ?? true);
}
function showEvents(events, anew) {
  const body = by("events");
  if (anew) body.replaceChildren();
  for (const event of events ?? []) {
    if (!wanted(event)) continue;
    const row = make("tr", undefined, event.level);
    for (const text of [clock(event.at_ms), event.source, event.level, event.code, event.text]) row.append(make("td", text));
    body.prepend(row);
  }
  while (body.children.length > EVENTS_SHOWN) body.lastChild.remove();
  by("no-events").hidden = body.children.length > 0;
}

function showCharts() {
  if (document.hidden) return;
  drawn = Date.now();
  exposureChart(by("exposure-chart"), state.positions, now(), size);
  const hedge = state.hedge;
  costChart(by("cost-chart"), state.costs, now());
  latencyChart(by("latency-chart"), state.latencies, hedge?.p50_us ?? 0, hedge?.p95_us ?? 0);
}

// What changes with time alone: ages, timers, the banner.
function tick() {
  const { badge, exposure, ages } = state;
  if (!badge) {
    // Not at once: a banner that comes and goes would move what somebody is about to click.
    return performance.now() > 3000 && banner(say("The page's server does not answer; last data {age} ago", { age: "–" }), true);
  }
  put("net", exposure.net === null ? say("unknown") : exposure.net);
  put("word", say(exposure.word));
  by("word").className = `word ${exposure.word}`;
  put("usd", exposure.usd === null ? "" : `${exposure.usd} USD`);
  const since = exposure.since_ms === null ? null : now() - exposure.since_ms;
  put("unhedged-for", since === null ? "" : `${say("since {age}", { age: age(since) })}, ${say("limit {seconds} s", { seconds: exposure.limit_ms / 1000 })}`);
  by("limit").hidden = since === null;
  by("limit").firstElementChild.style.width = since === null ? "0" : `${Math.min(100, (100 * since) / exposure.limit_ms)}%`;
  put("residual", exposure.residual === null ? "" : say("residual {size}, waits for the next hedge", { size: exposure.residual }));
  put("uptime", badge.started_ms === null ? "" : say("up for {age}", { age: age(now() - badge.started_ms) }));
  showRound();
  const old = (ms) => (ms === null ? Infinity : now() - ms);
  const told = (ms) => (ms === null ? say("never heard") : age(now() - ms));
  put("heard", `${say("age of the data")}: A ${told(ages.a_ms)}, B ${told(ages.b_ms)}`);
  const silent = Date.now() - heardAt;
  if (silent > 3000) return banner(say("The page's server does not answer; last data {age} ago", { age: age(silent) }), true);
  if (!ages.redis) return banner(say("Redis does not answer"), true);
  if (badge.mode === "stopped") return banner(say("Desk is not running. Start it: lighter-hedge up"), true);
  for (const [who, ms] of [["A", ages.a_ms], ["B", ages.b_ms]]) {
    if (old(ms) > ages.stale_ms) return banner(say("No data from account {who} for {age}", { who, age: told(ms) }), true);
  }
  if (badge.mode === "paused") return banner(`${say("paused")}: ${badge.reason} [${badge.code}]`, false);
  banner("", false);
}
function banner(text, stale) {
  put("banner", text);
  by("banner").hidden = !text;
  by("banner").className = stale ? "" : "paused";
  document.body.classList.toggle("stale", stale);
}

// --- what a person asks for

const MEANS = {
  pause: "opens nothing more; what is open stays hedged",
  resume: "ends the pause; refused while exposure is open",
  drain: "closes what is open, opens nothing more, then pauses; hedging goes on",
  clear: "cancels every order, closes both positions at the market, then pauses",
};
by("buttons").addEventListener("click", (event) => {
  const verb = event.target.dataset.verb;
  if (!verb) return;
  const dialog = by("dialog"), typed = by("dialog-typed"), go = by("dialog-go");
  put("dialog-title", event.target.textContent);
  put("dialog-text", say(MEANS[verb]));
  put(go, event.target.textContent);
  go.className = verb === "clear" ? "danger" : "primary";
  by("dialog-now-label").hidden = verb !== "resume";
  by("dialog-now").checked = false;
  const label = by("dialog-typed-label");
  label.hidden = verb !== "clear";
  put(label.firstElementChild, say("Type {word} to confirm", { word: state.badge?.market ?? "" }));
  typed.value = "";
  const check = () => { go.disabled = verb === "clear" && typed.value !== state.badge?.market; };
  typed.oninput = check;
  check();
  dialog.returnValue = "";
  dialog.onclose = () => { if (dialog.returnValue === "go") ask(verb, typed.value, by("dialog-now").checked); };
  dialog.showModal();
});

async function ask(verb, confirm, hedge_now) {
  const failed = (text) => by("asked").prepend(make("li", `${verb}: ${say("failed")}: ${text}`, "failed"));
  try {
    const answer = await fetch("/api/command", {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Asked-By": "page" },
      body: JSON.stringify({ verb, confirm, hedge_now }),
    });
    if (!answer.ok) failed((await answer.json()).error);
  } catch (error) {
    failed(String(error.message ?? error));
  }
}

for (const control of document.querySelectorAll("#level, [data-source]")) {
  control.addEventListener("change", () => showEvents(state.events, true));
}
addEventListener("resize", showCharts);
addEventListener("visibilitychange", showCharts);
setInterval(() => { tick(); if (Date.now() - drawn > 5000 && state.badge) showCharts(); }, 500);
tick();
connect();
