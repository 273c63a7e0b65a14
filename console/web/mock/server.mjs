// A stand-in for the console program during work on the pages: the same REST interface over made-up data, kept in
// memory. It also serves `dist/` under the content security policy of the real program, so that a build can be tried.
// Any password longer than three characters is right.
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { extname, join, normalize } from "node:path";
import { agencies, ago, alerts, audit, catalogue, events, fleet, makeAlert, notices, person, rules, users } from "./data.mjs";

const PORT = Number(process.env.PORT ?? 5180);
const DIST = new URL("../dist/", import.meta.url).pathname;
const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".woff2": "font/woff2" };
const CSP = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'";

const state = { user: process.env.LOGGED_IN ? users[0] : null, setup: Boolean(process.env.SETUP), listeners: new Set(), sequence: 0 };
const cases = [];

function row(a) {
  const { alert, triage } = a;
  return { id: alert.id, sequence: alert.sequence, time: alert.time, severity: alert.severity, rule_id: alert.rule.id, rule_name: alert.rule.name, rule_name_vi: alert.rule.name_vi, rule_kind: alert.rule.kind, source: alert.source, destination: alert.destination,
    agency: alert.agency, sensor: alert.sensor, event_count: alert.event_count, status: triage.status, verdict: triage.verdict, assignee: triage.assignee, case_id: triage.case_id, version: triage.version };
}

function newCase(title, severity, agency, ids, minutes = 0, status = "new") {
  const number = cases.length + 1;
  const c = { id: "c" + number, number, title, severity, status, agency, summary: "", opened_by: person("u1"), opened_at: ago(minutes), updated_at: ago(minutes), version: 1, alert_ids: ids, notes: [], history: [{ at: ago(minutes), by: person("u1"), action: "opened", detail: {} }] };
  for (const id of ids) { const a = alerts.find((x) => x.alert.id === id); a.triage = { ...a.triage, status: "escalated", case_id: c.id, case_number: c.number, version: a.triage.version + 1 }; a.history.push({ at: ago(minutes), by: person("u1"), action: "escalated", detail: { case: String(c.number) } }); }
  cases.push(c);
  return c;
}
newCase("Xâm nhập cổng thông tin qua biểu mẫu tải tệp", "critical", agencies[0], alerts.filter((a) => a.alert.rule.id === "web-shell-upload").slice(1, 3).map((a) => a.alert.id), 300, "in_progress");
newCase("Máy trạm Sở Y tế nghi nhiễm mã độc điều khiển từ xa", "high", agencies[1], alerts.filter((a) => a.alert.rule.id === "sinkholed-domain").slice(2, 3).map((a) => a.alert.id), 1500, "waiting");
cases[0].summary = "Địa chỉ 192.0.2.66 quét cổng lúc 08:12, thử SQL injection lúc 08:40 và tải lên tệp bao-cao.aspx lúc 09:05. Máy chủ congthongtin đã được cô lập.";
cases[0].notes.push({ id: "k1", at: ago(200), by: person("u2"), text: "Đã gọi đơn vị vận hành, giữ nguyên hiện trạng máy chủ." });
const caseRow = ({ alert_ids, notes, history, ...c }) => ({ ...c, alert_count: alert_ids.length });
const caseOut = (c) => ({ ...c, alert_count: c.alert_ids.length, alerts: alerts.filter((a) => c.alert_ids.includes(a.alert.id)).map(row) });

function flat(doc, prefix = "", out = {}) {
  for (const [k, v] of Object.entries(doc ?? {})) {
    if (v && typeof v === "object" && !Array.isArray(v)) flat(v, prefix + k + ".", out);
    else out[prefix + k] = Array.isArray(v) ? v.map((x) => (typeof x === "object" ? JSON.stringify(x) : x)) : v;
  }
  return out;
}

function send(res, status, body) {
  res.writeHead(status, { "content-type": "application/json" });
  res.end(body === undefined ? "" : JSON.stringify(body));
}
const fail = (res, status, code, message, more = {}) => send(res, status, { code, message, ...more });

function broadcast(kind, data) {
  const id = ++state.sequence;
  for (const l of state.listeners) l.write(`id: ${id}\nevent: ${kind}\ndata: ${JSON.stringify(data)}\n\n`);
}

function touch(a, changes, action, detail) {
  a.triage = { ...a.triage, ...changes, version: a.triage.version + 1 };
  a.history.push({ at: ago(0), by: person(state.user.id), action, detail });
  broadcast("alert_changed", row(a));
  return row(a);
}

const touchDetail = (a, ...rest) => (touch(a, ...rest), detail(a));

function detail(a) {
  return { alert: a.alert, triage: { watchers: [], ...a.triage }, history: a.history, verdicts: {}, similar: alerts.filter((x) => x !== a && x.alert.rule.id === a.alert.rule.id && x.triage.status === "closed").slice(0, 8).map((x) => ({ id: x.alert.id, time: x.alert.time, verdict: x.triage.verdict, reason: x.triage.reason, by: person("u2"), source: x.alert.source, destination: x.alert.destination })) };
}

function listAlerts(q) {
  const status = q.get("status") ?? "open";
  const has = (name, value) => !q.get(name) || q.get(name).split(",").includes(value);
  const text = (q.get("text") ?? "").toLowerCase();
  const found = alerts.filter((a) => has("severity", a.alert.severity) && has("rule", a.alert.rule.id) && has("agency", a.alert.agency?.id) && has("sensor", a.alert.sensor) && (!text || JSON.stringify(row(a)).toLowerCase().includes(text)));
  const items = found.filter((a) => status === "all" || a.triage.status === status).map(row);
  const order = ["critical", "high", "medium", "low", "info"];
  items.sort((a, b) => (q.get("sort") === "severity" ? order.indexOf(a.severity) - order.indexOf(b.severity) || b.sequence - a.sequence : b.time.localeCompare(a.time)));
  const from = Number(q.get("cursor") ?? 0), limit = Number(q.get("limit") ?? 50);
  const by_severity = Object.fromEntries(order.map((s) => [s, alerts.filter((a) => a.triage.status === "open" && a.alert.severity === s).length]));
  return { items: items.slice(from, from + limit), total: items.length, next_cursor: from + limit < items.length ? String(from + limit) : null, counts: { open: alerts.filter((a) => a.triage.status === "open").length, by_severity } };
}

function search(body) {
  const text = body.query ?? "";
  const bad = text.indexOf("((");
  if (bad >= 0) return { error: { code: "bad_query", message: "ngoặc mở thừa: mong đợi một điều kiện", position: bad + 1 } };
  const [filter, ...stages] = text.split("|").map((s) => s.trim());
  const terms = filter.split(/\s+(?:AND\s+)?/i).filter((t) => t && t !== "AND");
  let negate = false;
  const tests = [];
  for (const t of terms) {
    if (t === "NOT") { negate = true; continue; }
    const m = /^([\w.@]+):(.*)$/.exec(t), want = (m ? m[2] : t).replace(/"/g, ""), n = negate; negate = false;
    const re = new RegExp("^" + want.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replace(/\*/g, ".*") + "$", "i");
    tests.push((f) => (m ? [f[m[1]]].flat().some((v) => v !== undefined && re.test(String(v))) : JSON.stringify(f).toLowerCase().includes(want.toLowerCase())) !== n);
  }
  const from = body.from ? Date.parse(body.from) : -Infinity, to = body.to ? Date.parse(body.to) : Infinity;
  const found = events.filter((e) => { const t = Date.parse(e["@timestamp"]); if (t < from || t >= to) return false; const f = flat(e); return tests.every((x) => x(f)); });
  const top = (field, n) => { const c = new Map(); for (const e of found) for (const v of [flat(e)[field]].flat()) if (v !== undefined) c.set(String(v), (c.get(String(v)) ?? 0) + 1); return [...c].sort((a, b) => b[1] - a[1]).slice(0, n); };
  const answer = { total: found.length, events: found.slice(Number(body.cursor ?? 0), Number(body.cursor ?? 0) + (body.limit ?? 100)), facets: (body.facets ?? []).map((field) => ({ field, values: top(field, 8).map(([value, count]) => ({ value, count })) })), partial: [], took_ms: 14 };
  const next = Number(body.cursor ?? 0) + (body.limit ?? 100);
  if (next < found.length) answer.cursor = String(next);
  const count = stages.map((s) => /^count by (.+)$/.exec(s)).find(Boolean);
  if (count) { answer.table = { columns: [count[1], "count"], rows: top(count[1], 20) }; answer.events = []; delete answer.cursor; }
  if (body.timeline_bars) {
    const start = Number.isFinite(from) ? from : Date.parse(events.at(-1)["@timestamp"]), end = Number.isFinite(to) ? to : Date.now();
    const step = Math.max(1000, Math.ceil((end - start) / body.timeline_bars / 1000) * 1000);
    const bars = []; for (let t = start; t < end; t += step) bars.push({ start: new Date(t).toISOString(), count: 0 });
    for (const e of found) { const b = bars[Math.floor((Date.parse(e["@timestamp"]) - start) / step)]; if (b) b.count++; }
    answer.timeline = { step_ms: step, bars };
  }
  return { answer };
}

const report = (date, lang) => ({ title: lang === "vi" ? "Báo cáo tổng hợp ngày" : "Daily summary", subtitle: `${date} · Trung tâm Giám sát an ninh mạng tỉnh`, generated_at: ago(0), lang, footer: "Lũy Tre", letterhead: { superior: "UBND TỈNH", issuer: "TRUNG TÂM GIÁM SÁT AN NINH MẠNG", national: true, symbol: "Số:      /BC-TTGS", place_and_date: "…, ngày … tháng … năm 2026" }, blocks: [
  { type: "paragraph", text: "Trong ngày ghi nhận 64 cảnh báo, trong đó 11 cảnh báo mức cao trở lên. Tỷ lệ lưu lượng quan sát được là 99,98 %; không có gói tin chưa rõ." },
  { type: "facts", items: [{ label: "Cảnh báo", value: "64" }, { label: "Mức cao trở lên", value: "11" }, { label: "Hồ sơ mở", value: "2" }, { label: "Lưu lượng quan sát được", value: "99,98 %" }] },
  { type: "heading", level: 2, text: "Cảnh báo theo mức độ" }, { type: "bars", title: "Cảnh báo theo mức độ", unit: "cảnh báo", items: [{ label: "Nghiêm trọng", value: 4, text: "4" }, { label: "Cao", value: 14, text: "14" }, { label: "Trung bình", value: 22, text: "22" }, { label: "Thấp", value: 20, text: "20" }, { label: "Thông tin", value: 4, text: "4" }] },
  { type: "heading", level: 2, text: "Luật kích hoạt nhiều nhất" }, { type: "table", caption: "Mười luật đứng đầu", columns: [{ title: "Luật", align: "left" }, { title: "Số cảnh báo", align: "right" }], rows: rules.slice(0, 6).map((r) => ({ cells: [r.rule.name_vi, String(r.hits)], href: "/alerts?status=all&rule=" + r.rule.id })) },
  { type: "note", tone: "warning", text: "Thiết bị so-y-te-01 im lặng 26 phút: sự yên tĩnh trong khoảng này không có nghĩa là không có sự cố." }] });

/** Alerts of one rule and destination together; no filters and no pages. */
function listGroups(q) {
  const list = listAlerts(new URLSearchParams({ status: q.get("status") ?? "open", limit: "200" }));
  const groups = new Map();
  for (const each of list.items) { const key = `${each.rule_id} ${each.destination?.ip ?? ""}`; groups.set(key, [...(groups.get(key) ?? []), each]); }
  const items = [...groups].map(([key, rows]) => ({ key: Buffer.from(key).toString("base64url"), alerts: rows.length, rules: 1, agencies: new Set(rows.map((each) => each.agency?.id)).size, sources: new Set(rows.map((each) => each.source?.ip)).size, destinations: 1, new_destinations: 1, first: rows.at(-1).time, last: rows[0].time, severity: rows[0].severity, host: rows[0].destination?.ip, lead: rows[0] }));
  return { items, total: items.length, alerts: list.items.length, until: state.sequence, counts: list.counts };
}

async function api(req, res, path, q, body) {
  const is = (method, re) => (req.method === method ? re.exec(path) : null);
  let m;
  if (is("GET", /^\/health$/)) return send(res, 200, { ok: true, version: "0.1.0", problems: [], collector: { ok: true, reachable: true, alerts_connected: true, version: "0.1.0", problems: [], index_lag_events: 0, indexed_events: 964 } });
  if (is("GET", /^\/setup$/)) return send(res, 200, { needed: state.setup });
  if (is("POST", /^\/setup$/)) { state.setup = false; state.user = users[0]; }
  if (is("POST", /^\/session$/)) { if ((body.password ?? "").length < 4) return fail(res, 401, "wrong_credentials", "Tên đăng nhập hoặc mật khẩu không đúng."); state.user = users.find((u) => u.name === body.name) ?? users[0]; }
  if (!state.user) return fail(res, 401, "not_logged_in", "Chưa đăng nhập.");
  if (/^\/(session|setup)$/.test(path)) {
    if (req.method === "DELETE") { state.user = null; return send(res, 204); }
    if (req.method === "PATCH") Object.assign(state.user, body);
    return send(res, 200, { user: state.user, csrf_token: "mock", expires_at: ago(-600), version: "0.1.0", time_zone: "Asia/Ho_Chi_Minh" });
  }
  if (is("GET", /^\/alerts$/)) return send(res, 200, listAlerts(q));
  if (is("GET", /^\/alerts\/groups$/)) return send(res, 200, listGroups(q));
  if (is("GET", /^\/views$/)) return send(res, 200, { items: [] });
  if (is("GET", /^\/suppressions$/)) return send(res, 200, { items: [], active: 0, hidden_today: 0 });
  if (is("POST", /^\/alerts\/bulk$/)) {
    let changed = 0, unchanged = 0; const failed = [];
    for (const id of body.ids) { const a = alerts.find((x) => x.alert.id === id); if (!a) failed.push({ id, code: "not_found", message: "không có cảnh báo này" }); else if (body.action === "close" && a.triage.status === "closed") unchanged++; else { touch(a, body.action === "close" ? { status: "closed", verdict: body.verdict, reason: body.reason } : { status: "open", verdict: undefined }, body.action === "close" ? "closed" : "reopened", { reason: body.reason }); changed++; } }
    return send(res, 200, { changed, unchanged, failed: failed.length, failures: failed });
  }
  if ((m = /^\/alerts\/([^/]+)(?:\/(\w+))?$/.exec(path))) {
    const a = alerts.find((x) => x.alert.id === m[1]);
    if (!a) return fail(res, 404, "not_found", "Không có cảnh báo này.");
    if (req.method === "GET" && !m[2]) return send(res, 200, detail(a));
    if (m[2] === "related") { const near = events.filter((e) => e.network.community_id === a.alert.community_id || e.source.ip === a.alert.source.ip).slice(0, 12); return send(res, 200, { events: near, total: near.length, partial: [] }); }
    if (body.version !== undefined && body.version !== a.triage.version) return fail(res, 409, "conflict", "Cảnh báo vừa được người khác thay đổi.", { current: row(a) });
    if (m[2] === "close") return send(res, 200, touchDetail(a, { status: "closed", verdict: body.verdict, reason: body.reason }, "closed", { verdict: body.verdict, reason: body.reason }));
    if (m[2] === "reopen") return send(res, 200, touchDetail(a, { status: "open", verdict: undefined, reason: undefined }, "reopened", { reason: body.reason }));
    if (m[2] === "assign") return send(res, 200, touchDetail(a, { assignee: person(body.user_id) }, "assigned", { assignee: person(body.user_id)?.display_name ?? "" }));
    if (m[2] === "escalate") {
      let c = cases.find((x) => x.id === body.case_id);
      if (c) { c.alert_ids.push(a.alert.id); touch(a, { status: "escalated", case_id: c.id, case_number: c.number }, "escalated", { case: String(c.number) }); } else { c = newCase(body.title, body.severity, agencies.find((x) => x.id === body.agency_id) ?? null, [a.alert.id]); broadcast("alert_changed", row(a)); }
      return send(res, 200, caseOut(c));
    }
  }
  if (is("GET", /^\/cases$/)) { const t = (q.get("text") ?? "").toLowerCase(); const items = cases.filter((c) => (["all", null].includes(q.get("status")) || (q.get("status") === "active" ? c.status !== "closed" : q.get("status") === c.status)) && c.title.toLowerCase().includes(t)).map(caseRow); return send(res, 200, { items, total: items.length, next_cursor: null }); }
  if (is("POST", /^\/cases$/)) return send(res, 200, caseOut(newCase(body.title, body.severity, agencies.find((x) => x.id === body.agency_id) ?? null, [])));
  if ((m = /^\/cases\/([^/]+)(?:\/(\w+))?$/.exec(path))) {
    const c = cases.find((x) => x.id === m[1]);
    if (!c) return fail(res, 404, "not_found", "Không có hồ sơ này.");
    if (req.method === "PATCH") { const { version, ...changes } = body; Object.assign(c, changes, { version: c.version + 1, updated_at: ago(0) }); c.history.push({ at: ago(0), by: person(state.user.id), action: "changed", detail: Object.fromEntries(Object.entries(changes).map(([k, v]) => [k, String(v)])) }); }
    if (m[2] === "notes") c.notes.push({ id: "k" + c.notes.length + 2, at: ago(0), by: person(state.user.id), text: body.text });
    return send(res, 200, caseOut(c));
  }
  if (is("POST", /^\/search$/)) { const r = search(body); return r.error ? send(res, 400, r.error) : send(res, 200, r.answer); }
  if (path === "/search/catalogue") return send(res, 200, catalogue);
  if (is("GET", /^\/sensors$/)) return send(res, 200, { items: fleet, total: fleet.length });
  if (is("POST", /^\/sensors\/tokens$/)) return send(res, 200, { name: body.name, token: "lt1.kq3nVwE0m1c2h5ZrYk1b3u0pQZ8Xw2s9vT4yC6oL7aHdJfGgKmNqRtUwXyZ0123456789ab", expires: ago(-1440) });
  if ((m = is("POST", /^\/sensors\/([^/]+)\/revoke$/))) { const s = fleet.find((x) => x.name === m[1]); s.state = "revoked"; return send(res, 200, s); }
  if (path === "/ledger") return send(res, 200, { minutes: [], visibility: { seen: 0.99987, unaccounted: 17, known: true } });
  if (is("GET", /^\/rules$/)) return send(res, 200, { ruleset: "b3:5f0c9a1e7d", rules, broken: [{ file: "sigma/thu-nghiem.yml", line: 14, reason: "unknown field `dns.question.nam`, did you mean `dns.question.name`?" }] });
  if ((m = is("GET", /^\/rules\/(.+)$/))) { const line = rules.find((r) => r.rule.id === decodeURIComponent(m[1])); return line ? send(res, 200, { line, text: `title: ${line.rule.name}\nid: ${line.rule.id}\nstatus: stable\nlevel: ${line.severity}\nlogsource:\n  category: proxy\ndetection:\n  selection:\n    http.request.method: POST\n    file.name|endswith:\n      - .aspx\n      - .jsp\n      - .php\n  condition: selection\n` }) : fail(res, 404, "not_found", "Không có luật này."); }
  if (path === "/agencies") return send(res, 200, { items: agencies, total: agencies.length });
  if (is("GET", /^\/users$/)) return send(res, 200, { items: users, total: users.length });
  if (is("POST", /^\/users$/)) { const u = { id: "u" + (users.length + 1), ...body, locale: "vi", theme: "dark", disabled: false, created_at: ago(0), invited: true }; users.push(u); return send(res, 200, { user: u, link: "https://console.example:8443/setup?token=Zk3f9sQ1", expires_at: ago(-1440) }); }
  if ((m = is("PATCH", /^\/users\/(.+)$/))) { const u = users.find((x) => x.id === m[1]); Object.assign(u, body); return send(res, 200, u); }
  if (path === "/reports") return send(res, 200, { items: [{ name: "daily_summary", title: "Daily summary", title_vi: "Báo cáo tổng hợp ngày" }], total: 1 });
  if (path === "/reports/daily_summary") return send(res, 200, report(q.get("date"), q.get("lang") ?? "vi"));
  if (path === "/audit") { const from = Number(q.get("cursor") ?? 0); return send(res, 200, { items: audit.slice(from, from + 50), total: audit.length, next_cursor: from + 50 < audit.length ? String(from + 50) : null }); }
  if (path === "/notices") return send(res, 200, { items: notices, total: notices.length, next_cursor: null });
  if (path === "/live") {
    res.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
    state.listeners.add(res);
    req.on("close", () => state.listeners.delete(res));
    res.write(`event: visibility\ndata: ${JSON.stringify({ seen: 0.99987, unaccounted: 17, known: true, collector_ok: true, sensors: fleet.map((s) => ({ name: s.name, state: s.state })) })}\n\n`);
    return;
  }
  if (path === "/mock/alert") { const a = makeAlert(rules[Number(q.get("rule") ?? 0)], 0); alerts.unshift(a); events.unshift(a.alert.event); broadcast("alert", row(a)); return send(res, 200, row(a)); }
  if (path === "/mock/lapse") { state.user = null; return send(res, 200, {}); }
  return fail(res, 404, "not_found", "Không có địa chỉ này: " + path);
}

createServer(async (req, res) => {
  const url = new URL(req.url, "http://mock");
  if (url.pathname.startsWith("/api/v1/")) {
    let text = "";
    for await (const piece of req) text += piece;
    if (process.env.SLOW_MS) await new Promise((done) => setTimeout(done, Number(process.env.SLOW_MS)));
    try { await api(req, res, url.pathname.slice(7), url.searchParams, text ? JSON.parse(text) : {}); } catch (error) { console.error(error); fail(res, 500, "internal", String(error)); }
    return;
  }
  let file = normalize(join(DIST, url.pathname));
  if (!file.startsWith(DIST) || !extname(file)) file = join(DIST, "index.html");
  try {
    const data = await readFile(file);
    res.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream", "content-security-policy": CSP });
    res.end(data);
  } catch { fail(res, 404, "not_found", "no such file (run npm run build)"); }
}).listen(PORT, "127.0.0.1", () => console.log(`mock console on http://127.0.0.1:${PORT}`));

if (process.env.LIVE_S) setInterval(() => { const a = makeAlert(rules[Math.floor(Math.random() * rules.length)], 0); alerts.unshift(a); broadcast("alert", row(a)); }, Number(process.env.LIVE_S) * 1000).unref();
