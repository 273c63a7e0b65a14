// Made-up data for the mock server: one believable day of a province, in the demo address blocks only.

export const agencies = [
  { id: "TTDL", name: "Trung tâm Dữ liệu tỉnh" },
  { id: "SYT", name: "Sở Y tế" },
  { id: "STC", name: "Sở Tài chính" },
  { id: "SGDDT", name: "Sở Giáo dục và Đào tạo" },
  { id: "VPUB", name: "Văn phòng UBND tỉnh" },
  { id: "XTL", name: "UBND xã Tân Lập" },
];

export const users = [
  { id: "u1", name: "admin", display_name: "Quản trị viên", role: "admin", locale: "vi", theme: "dark", disabled: false, invited: false, created_at: ago(80000), last_login_at: ago(3) },
  { id: "u2", name: "lan", display_name: "Cán bộ trực ca A", role: "analyst", locale: "vi", theme: "dark", disabled: false, invited: false, created_at: ago(70000), last_login_at: ago(40) },
  { id: "u3", name: "minh", display_name: "Cán bộ trực ca B", role: "analyst", locale: "vi", theme: "dark", disabled: false, invited: false, created_at: ago(60000), last_login_at: ago(900) },
  { id: "u4", name: "kiemtoan", display_name: "Kiểm toán nội bộ", role: "auditor", locale: "vi", theme: "light", disabled: true, created_at: ago(50000), },
];

/** A user as others see them. */
export function person(id) {
  const u = users.find((x) => x.id === id);
  return u && { id: u.id, name: u.name, display_name: u.display_name };
}

/** A time so many minutes ago, RFC 3339. */
export function ago(minutes) {
  return new Date(Date.now() - minutes * 60000).toISOString();
}

const R = (id, severity, kind, name_vi, name, description_vi, advice_vi, techniques, extra = {}) => ({
  severity, file: `${kind === "yara" ? "yara" : "sigma"}/${id}.yml`, hits: 0,
  rule: {
    id, kind, name, name_vi, description: name + ".", description_vi, advice_vi, advice: "Check the host, keep its logs.",
    revision: "2026-11-02", ruleset: "b3:5f0c9a1e7d", techniques, references: ["https://attack.mitre.org/techniques/" + (techniques[0] ?? "T1046").replace(".", "/")],
    false_positives: ["Máy quét lỗ hổng được phép"], ...extra,
  },
});

export const rules = [
  R("web-shell-upload", "critical", "sigma", "Tải lên web shell qua cổng thông tin", "Web shell upload",
    "Một yêu cầu POST gửi tệp có phần mở rộng thực thi (.aspx, .jsp, .php) lên thư mục tải tệp của cổng thông tin. Đây là cách phổ biến để chiếm quyền máy chủ web sau khi dò được biểu mẫu tải tệp.",
    "1. Giữ nguyên hiện trạng máy chủ, không xóa tệp.\n2. Chặn địa chỉ nguồn tại tường lửa.\n3. Tìm trong nhật ký web mọi yêu cầu tới tệp vừa tải lên.\n4. Nếu tệp đã được gọi: lập hồ sơ, báo đơn vị vận hành trong 24 giờ.", ["T1505.003", "T1190"]),
  R("eicar-download", "high", "yara", "Tệp mã độc (mẫu thử EICAR) trong lưu lượng HTTP", "Malware test file over HTTP",
    "Bộ quét YARA nhận ra mẫu thử EICAR trong một tệp được truyền qua HTTP.", "Xác minh máy nhận tệp, cô lập nếu không phải diễn tập.", ["T1105"]),
  R("dns-tunnel", "high", "correlation", "Dấu hiệu đường hầm DNS", "DNS tunnelling shape",
    "Nhiều truy vấn TXT có nhãn dài và ngẫu nhiên tới cùng một tên miền trong thời gian ngắn, thường là dữ liệu bị đưa ra ngoài qua DNS.",
    "1. Xác định máy phát sinh truy vấn.\n2. Chặn tên miền tại máy chủ phân giải.\n3. Thu thập tiến trình đang chạy trên máy đó.", ["T1071.004", "T1048"]),
  R("sqli-url", "high", "sigma", "Tấn công SQL injection trong URL", "SQL injection in URL",
    "Địa chỉ URL chứa cấu trúc câu lệnh SQL (union select, or 1=1, sleep).", "Kiểm tra mã trả về: 200 kèm dữ liệu lớn là dấu hiệu khai thác thành công.", ["T1190"]),
  R("ssh-brute-force", "medium", "correlation", "Dò mật khẩu SSH theo mẫu luồng", "SSH brute force by flow pattern",
    "Nhiều luồng ngắn tới cổng 22 từ một nguồn.", "Kiểm tra có luồng dài bất thường sau chuỗi thất bại hay không.", ["T1110"]),
  R("port-scan", "medium", "correlation", "Quét cổng", "Port scan",
    "Một nguồn thử kết nối tới nhiều cổng của cùng một máy trong thời gian ngắn.", "Đối chiếu danh sách máy quét được phép.", ["T1046"]),
  R("cleartext-password", "medium", "sigma", "Mật khẩu truyền không mã hóa qua HTTP", "Cleartext password in HTTP",
    "Biểu mẫu đăng nhập gửi mật khẩu qua HTTP không mã hóa.", "Thông báo đơn vị chuyển sang HTTPS.", ["T1040"]),
  R("self-signed-odd-port", "low", "sigma", "Chứng thư tự ký trên cổng lạ", "Self-signed certificate on an odd port",
    "Phiên TLS dùng chứng thư tự ký trên cổng không phải cổng web.", "Xác minh dịch vụ với đơn vị.", ["T1573"]),
  R("scanner-agent", "low", "sigma", "Công cụ quét tự xưng tên", "Scanner user agent", "User-Agent của công cụ quét đã biết.", "Theo dõi.", ["T1595"]),
  R("sinkholed-domain", "high", "intel", "Truy cập tên miền trong danh sách chặn", "Access to a sink-holed domain",
    "Máy trong mạng phân giải tên miền thuộc danh sách máy chủ điều khiển đã bị thu giữ.", "Cô lập máy, quét mã độc.", ["T1071"]),
  R("exe-as-image", "info", "sigma", "Tệp thực thi giả dạng ảnh", "Executable served as image", "Nội dung là tệp thực thi nhưng khai báo là ảnh.", "Trích tệp để phân tích.", ["T1036"]),
];

const hex = (n, seed) => Array.from({ length: n }, (_, i) => ((seed * 31 + i * 7 + ((seed * i) % 13)) % 16).toString(16)).join("");
const cid = (n) => "1:" + Buffer.from(hex(40, n), "hex").toString("base64");
const sensors = ["ttdl-bien", "so-y-te-01", "wan-xa-01"];

/** One event document. */
function event(n, minutes, dataset, src, dst, dport, agency, body) {
  const time = ago(minutes);
  return {
    "@timestamp": time,
    event: { id: `ttdl-bien/${100000 + n}`, dataset, kind: "event" },
    observer: { name: sensors[n % 3 === 2 ? 1 : 0] },
    organization: agency,
    network: { community_id: cid(n % 97), transport: dataset === "dns" ? "udp" : "tcp", protocol: dataset === "flow" ? "http" : dataset, bytes: 4200 + ((n * 977) % 90000), packets: 8 + (n % 70) },
    source: { ip: src, port: 40000 + ((n * 37) % 20000), bytes: 1200 + ((n * 51) % 6000), packets: 4 + (n % 30) },
    destination: { ip: dst, port: dport, bytes: 3000 + ((n * 211) % 80000), packets: 4 + (n % 40) },
    ...body,
  };
}

const bodies = {
  "web-shell-upload": (n) => ["http", "192.0.2.66", "198.51.100.10", 80, {
    http: { version: "1.1", request: { method: "POST", bytes: 2381, mime_type: "multipart/form-data", body: { bytes: 2048, content: "------WebKitFormBoundary7MA4\r\nContent-Disposition: form-data; name=\"tep\"; filename=\"bao-cao.aspx\"\r\nContent-Type: image/jpeg\r\n\r\n<%@ Page Language=\"Jscript\"%><%eval(Request.Item[\"lt\"],\"unsafe\");%>\r\n------WebKitFormBoundary7MA4--" } }, response: { status_code: 200, bytes: 512, mime_type: "text/html" } },
    url: { original: "/van-ban/tai-len?thu-muc=uploads", path: "/van-ban/tai-len", domain: "congthongtin.tinh.example" }, user_agent: { original: "python-requests/2.31" },
    file: { name: "bao-cao.aspx", size: 2048 } }, [
      { field: "http.request.method", value: "POST", wanted: "is \"POST\"" },
      { field: "file.name", value: "bao-cao.aspx", wanted: "ends with \".aspx\", \".jsp\" or \".php\"" },
      { field: "http.request.body.content", value: "eval(Request.Item", wanted: "contains \"eval(Request\"" }]],
  "eicar-download": (n) => ["file", "203.0.113.45", "192.0.2.80", 80, {
    file: { name: "cap-nhat.com", size: 68, mime_type: "text/plain", hash: { sha256: hex(64, n), md5: hex(32, n) } }, url: { full: "http://tai-ve.example/cap-nhat.com", original: "/cap-nhat.com", domain: "tai-ve.example" } }, [
      { field: "$eicar", value: "X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE", wanted: "string $eicar at offset 0" }]],
  "dns-tunnel": (n) => ["dns", "203.0.113.88", "198.51.100.53", 53, {
    dns: { id: 21043, type: "query", op_code: "QUERY", response_code: "NOERROR", header_flags: ["RD", "RA"], question: { name: `${hex(40, n)}.t.kenh.example`, type: "TXT", class: "IN", registered_domain: "kenh.example", subdomain: hex(40, n) + ".t" }, answers: [{ name: `${hex(40, n)}.t.kenh.example`, type: "TXT", class: "IN", data: hex(64, n + 3), ttl: 1 }] } }, [
      { field: "dns.question.name", value: `${hex(40, n)}.t.kenh.example`, wanted: "longer than 40 characters" },
      { field: "dns.question.type", value: "TXT", wanted: "is \"TXT\"" },
      { field: "event_count", value: "412", wanted: "reached the rule's threshold within 300 s" }]],
  "sqli-url": (n) => ["http", "192.0.2.66", "198.51.100.10", 80, {
    http: { version: "1.1", request: { method: "GET", bytes: 310 }, response: { status_code: n % 2 ? 500 : 200, bytes: 1840, mime_type: "text/html" } },
    url: { original: "/tra-cuu/ho-so?id=12%27%20UNION%20SELECT%20username,password%20FROM%20users--", path: "/tra-cuu/ho-so", query: "id=12' UNION SELECT username,password FROM users--", domain: "dichvucong.tinh.example" }, user_agent: { original: "sqlmap/1.8#stable" } }, [
      { field: "url.query", value: "id=12' UNION SELECT username,password FROM users--", wanted: "contains \"union select\" (any case)" }]],
  "ssh-brute-force": (n) => ["flow", "192.0.2.19", "198.51.100.22", 22, {}, [
      { field: "destination.port", value: "22", wanted: "is 22" }, { field: "event_count", value: "64", wanted: "reached the rule's threshold within 120 s" }]],
  "port-scan": (n) => ["flow", "192.0.2.66", "198.51.100.10", 8443, {}, [{ field: "value_count", value: "998", wanted: "reached the rule's threshold within 60 s" }]],
  "cleartext-password": (n) => ["http", "203.0.113.12", "198.51.100.31", 8080, {
    http: { version: "1.1", request: { method: "POST", bytes: 420, mime_type: "application/x-www-form-urlencoded", body: { bytes: 40, content: "tai_khoan=vanthu&mat_khau=********" } }, response: { status_code: 302, bytes: 210 } }, url: { original: "/dang-nhap", path: "/dang-nhap", domain: "qlvb.xa-tan-lap.example" }, user_agent: { original: "Mozilla/5.0 (Windows NT 10.0; Win64; x64)" } }, [
      { field: "http.request.body.content", value: "mat_khau=", wanted: "contains \"mat_khau=\", \"password=\" or \"passwd=\"" }]],
  "self-signed-odd-port": (n) => ["tls", "203.0.113.70", "192.0.2.140", 4433, {
    tls: { version: "1.2", cipher: "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", client: { server_name: "dong-bo.example", ja3: hex(32, n), supported_ciphers: ["0xc030"] }, server: { subject: "CN=localhost", issuer: "CN=localhost", not_before: ago(9000), not_after: ago(-400000), ja3s: hex(32, n + 1) } }, ja4: { client: "t12d1909h1_d83cc789557e_16bbda4055b2" } }, [
      { field: "tls.server.issuer", value: "CN=localhost", wanted: "is the same as tls.server.subject" }, { field: "destination.port", value: "4433", wanted: "not 443, 8443, 993, 995" }]],
  "scanner-agent": (n) => ["http", "192.0.2.66", "198.51.100.10", 80, { http: { version: "1.1", request: { method: "GET" }, response: { status_code: 404, bytes: 153 } }, url: { original: "/.git/config", path: "/.git/config", domain: "congthongtin.tinh.example" }, user_agent: { original: "Mozilla/5.0 (compatible; Nmap Scripting Engine)" } }, [{ field: "user_agent.original", value: "Mozilla/5.0 (compatible; Nmap Scripting Engine)", wanted: "contains \"Nmap Scripting Engine\"" }]],
  "sinkholed-domain": (n) => ["dns", "2001:db8:cafe:12::5", "2001:db8:cafe::53", 53, { dns: { id: 7, type: "answer", response_code: "NOERROR", question: { name: "c2.dieu-khien.example", type: "A", class: "IN", registered_domain: "dieu-khien.example" }, answers: [{ name: "c2.dieu-khien.example", type: "A", class: "IN", data: "192.0.2.200", ttl: 300 }] } }, [{ field: "dns.question.name", value: "c2.dieu-khien.example", wanted: "domain c2.dieu-khien.example (source: sinkholes)" }]],
  "exe-as-image": (n) => ["file", "203.0.113.45", "192.0.2.80", 80, { file: { name: "logo.png", size: 81920, mime_type: "application/x-dosexec", hash: { sha256: hex(64, n) } }, url: { original: "/anh/logo.png", domain: "tai-ve.example" } }, [{ field: "file.mime_type", value: "application/x-dosexec", wanted: "is \"application/x-dosexec\"" }, { field: "url.original", value: "/anh/logo.png", wanted: "ends with \".png\"" }]],
};

let serial = 0;
/** A new alert of a rule, so many minutes old. */
export function makeAlert(line, minutes) {
  const n = ++serial;
  const [dataset, src, dst, dport, body, matched] = bodies[line.rule.id](n);
  const agency = agencies[src.startsWith("203") || src.includes(":") ? 1 + (n % 5) : 0];
  const source_ip = src.startsWith("203") ? src.replace(/\d+$/, String(10 + ((n * 7) % 200))) : src;
  const doc = event(n, minutes, dataset, source_ip, dst, dport, agency, body);
  line.hits++;
  const count = line.rule.kind === "correlation" ? 60 + ((n * 53) % 400) : 1 + (n % 3);
  return {
    alert: {
      id: "al-" + hex(16, n) + n, sequence: n, time: doc["@timestamp"], raised: doc["@timestamp"], rule: line.rule, severity: line.severity,
      severity_reasons: ["rule_level", ...(line.severity === "critical" ? ["Máy đích là máy chủ dịch vụ công cấp độ 3"] : [])], matched, event_ids: [doc.event.id], event_count: count,
      event: doc, sensor: doc.observer.name, community_id: doc.network.community_id, source: { ip: source_ip, port: doc.source.port }, destination: { ip: dst, port: dport }, agency,
      visibility: { seen: n % 7 === 0 ? 0.9612 : 0.9998, unaccounted: 0, known: n % 11 !== 0 },
    },
    triage: { status: "open", version: 1 },
    history: [{ at: doc["@timestamp"], action: "raised", detail: {} }],
  };
}

export const alerts = [];
for (let i = 0; i < 64; i++) {
  const order = [5, 8, 3, 4, 8, 6, 5, 0, 2, 7, 3, 9, 1, 6, 10, 4, 7];
  alerts.push(makeAlert(rules[order[i % order.length]], 4 + (63 - i) * 11));
}
alerts.reverse();
alerts.forEach((a, i) => {
  if (i > 30 && i % 3 === 0) {
    a.triage = { status: "closed", verdict: ["false_positive", "true_positive", "benign"][i % 3 === 0 ? (i / 3) % 3 : 0], reason: "Máy quét lỗ hổng được phép của Trung tâm, theo kế hoạch tháng 11.", assignee: person("u2"), version: 2 };
    a.history.push({ at: ago(40), by: person("u2"), action: "closed", detail: { verdict: a.triage.verdict, reason: a.triage.reason } });
  }
});

export const events = [];
const hosts = ["congthongtin.tinh.example", "dichvucong.tinh.example", "mail.tinh.example", "cap-nhat.example", "thoi-tiet.example"];
for (let i = 0; i < 900; i++) {
  const kind = ["dns", "http", "tls", "flow", "dns", "flow", "http", "file"][i % 8];
  const agency = agencies[i % 6];
  const src = `203.0.113.${10 + ((i * 13) % 180)}`;
  const body = {
    dns: { dns: { id: i, type: "answer", response_code: i % 17 ? "NOERROR" : "NXDOMAIN", question: { name: hosts[i % 5], type: i % 3 ? "A" : "AAAA", class: "IN", registered_domain: hosts[i % 5].split(".").slice(-2).join(".") }, answers: [{ name: hosts[i % 5], type: "A", data: "198.51.100." + (10 + (i % 20)), ttl: 300 }] } },
    http: { http: { version: "1.1", request: { method: i % 5 ? "GET" : "POST" }, response: { status_code: [200, 200, 304, 404, 200, 500][i % 6], bytes: 900 + i * 7 } }, url: { original: "/trang-chu?muc=" + i, path: "/trang-chu", domain: hosts[i % 5] }, user_agent: { original: "Mozilla/5.0 (Windows NT 10.0; Win64; x64)" } },
    tls: { tls: { version: "1.3", client: { server_name: hosts[i % 5], ja3: hex(32, i % 9) }, cipher: "TLS_AES_128_GCM_SHA256" } },
    flow: {}, file: { file: { name: `van-ban-${i}.pdf`, size: 20480 + i * 90, mime_type: "application/pdf", hash: { sha256: hex(64, i) } } },
  }[kind];
  events.push(event(1000 + i, i * 1.6, kind, src, `198.51.100.${10 + (i % 20)}`, { dns: 53, http: 80, tls: 443, flow: 443, file: 80 }[kind], agency, body));
}
for (const a of alerts) events.push(a.alert.event);
events.sort((a, b) => (a["@timestamp"] < b["@timestamp"] ? 1 : -1));

const stage = (stage, unit, taken, given, held = 0, dropped = {}) => ({ stage, unit, taken, given, held, dropped });
export const fleet = [
  { name: "ttdl-bien", state: "connected", program: "0.1.0", enrolled: ago(90000), last_seen: ago(0.1), clock_skew_ms: 3, acknowledged: 482113, unaccounted: 0, stages: [
    stage("capture", "packets", 18442190, 18440911, 0, { ring_full: 1279 }), stage("decode", "packets", 18440911, 18440607, 0, { truncated: 214, unknown_link: 90 }), stage("flow", "packets", 18440607, 18440607),
    stage("protocols", "events", 482190, 482187, 0, { malformed: 3 }), stage("spool", "events", 482187, 482151, 36), stage("uplink", "events", 482151, 482151), stage("journal", "events", 482151, 482151), stage("detect", "events", 482151, 482151), stage("index", "events", 482151, 482120, 31)] },
  { name: "so-y-te-01", state: "silent", program: "0.1.0", enrolled: ago(70000), last_seen: ago(26), clock_skew_ms: -812, acknowledged: 91004, unaccounted: 0, stages: [
    stage("capture", "packets", 2104400, 2104400), stage("decode", "packets", 2104400, 2104388, 0, { truncated: 12 }), stage("flow", "packets", 2104388, 2104388), stage("protocols", "events", 91004, 91004), stage("spool", "events", 91004, 91004), stage("uplink", "events", 91004, 91004), stage("journal", "events", 91004, 91004), stage("detect", "events", 91004, 91004), stage("index", "events", 91004, 91004)] },
  { name: "wan-xa-01", state: "connected", program: "0.1.0", enrolled: ago(30000), last_seen: ago(0.2), clock_skew_ms: 11, acknowledged: 120330, unaccounted: 17, stages: [
    stage("capture", "packets", 3300120, 3300103), stage("decode", "packets", 3300103, 3300103), stage("flow", "packets", 3300103, 3300103), stage("protocols", "events", 120330, 120330), stage("spool", "events", 120330, 120330), stage("uplink", "events", 120330, 120330), stage("journal", "events", 120330, 120330), stage("detect", "events", 120330, 120330), stage("index", "events", 120330, 120330)] },
];

export const notices = [
  { id: "n1", to: "truc@soc.tinh.example", subject: "[Nghiêm trọng] Tải lên web shell qua cổng thông tin", state: "sent", attempts: 1, created_at: ago(30), sent_at: ago(29.9), receipt: "250 2.0.0 Ok: queued as 4F1C2", alert_id: alerts[8].alert.id },
  { id: "n2", to: "truc@soc.tinh.example", subject: "[Cao] Dấu hiệu đường hầm DNS", state: "queued", attempts: 2, created_at: ago(9), last_error: "kết nối tới smtp.tinh.example:587 quá hạn", alert_id: "al-0" },
  { id: "n3", to: "lanhdao@soc.tinh.example", subject: "[Cao] Tệp mã độc", state: "failed", attempts: 8, created_at: ago(600), last_error: "550 5.1.1 mailbox unavailable", alert_id: "al-0" },
];

const F = (name, kind, doc, index = "column") => ({ name, kind, index, doc });
export const catalogue = {
  fields: [F("@timestamp", "date", "When it happened"), F("destination.ip", "ip", "Destination address"), F("destination.port", "long", "Destination port"), F("dns.question.name", "keyword", "Name asked for"), F("dns.question.type", "keyword", "Record type asked for"), F("dns.response_code", "keyword", "Answer code"),
    F("event.dataset", "keyword", "Which kind of event"), F("event.id", "keyword", "The event's id", "term"), F("file.hash.sha256", "keyword", "SHA-256 of the file", "term"), F("file.name", "keyword", "File name"), F("file.mime_type", "keyword", "Type found in the content"), F("http.request.method", "keyword", "HTTP method"), F("http.response.status_code", "long", "HTTP status"),
    F("network.community_id", "keyword", "Community ID of the flow", "term"), F("network.bytes", "long", "Bytes both ways"), F("observer.name", "keyword", "The sensor"), F("organization.id", "keyword", "The agency"), F("source.ip", "ip", "Source address"), F("source.port", "long", "Source port"), F("tls.client.ja3", "keyword", "JA3 of the client"), F("tls.client.server_name", "keyword", "Server name (SNI)"), F("url.domain", "keyword", "Host of the URL"), F("url.original", "keyword", "The URL as sent"), F("user_agent.original", "keyword", "User agent")],
  datasets: [],
};

export const audit = Array.from({ length: 60 }, (_, i) => ({
  at: ago(i * 17 + 2), number: 60 - i, by: person(["u1", "u2", "u3"][i % 3]), address: "198.51.100.9", action: ["session.login", "alert.close", "case.create", "alert.assign", "sensor.token", "user.create"][i % 6],
  subject: ["admin", alerts[i % 60].alert.id, "HS-2026-0003", alerts[(i + 3) % 60].alert.id, "so-y-te-02", "kiemtoan"][i % 6], detail: [{}, { verdict: "false_positive", reason: "máy quét được phép" }, { title: "Tải lên web shell" }, { assignee: "lan" }, {}, { role: "auditor" }][i % 6],
}));
